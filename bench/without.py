"""The service without the telemetry listed in the variable WITHOUT: "metrics" or "metrics,logs".

The gauges of the pool and of requests in flight and the event loop's lag stay. Their cost is negligible.
"""

import os

from prometheus_fastapi_instrumentator.middleware import PrometheusInstrumentatorMiddleware

from app.main import app
from app.middleware.access_log import AccessLog

PARTS: dict[str, object] = {"metrics": PrometheusInstrumentatorMiddleware, "logs": AccessLog}

left_out = [PARTS[part] for part in os.environ["WITHOUT"].split(",")]
app.user_middleware = [middleware for middleware in app.user_middleware if middleware.cls not in left_out]
