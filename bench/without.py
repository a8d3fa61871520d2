"""The service with less telemetry than it has: without what the variable WITHOUT names, "metrics" or "metrics,logs".

What cannot be taken out costs next to nothing: the gauges of the pool and of requests in flight, the loop's lag.
"""

import os

from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware

from app.main import app
from app.middleware.access_log import AccessLog

PARTS: dict[str, object] = {"metrics": PrometheusInstrumentatorMiddleware, "logs": AccessLog}

left_out = [PARTS[part] for part in os.environ["WITHOUT"].split(",")]
app.user_middleware = [middleware for middleware in app.user_middleware if middleware.cls not in left_out]
