"""The end of the service in the names of its log lines, which are a convention (docs/reference/service.md)."""

SHUTDOWN = ["draining", "drained", "pool_closed", "telemetry_flushed", "stopped"]
