"""The keep-alive timeout of the load generators."""

# Less than the 5 s after which uvicorn closes an idle connection. A request that is sent at that moment is lost without
# a fault of the service (RFC 9112, 9.3.1).
IDLE_SECONDS = 4.0
