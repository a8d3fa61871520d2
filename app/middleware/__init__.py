"""Middleware, one concern per file, as plain ASGI. Starlette's BaseHTTPMiddleware costs 113 us per request."""
