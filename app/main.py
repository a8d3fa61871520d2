"""The service: `uvicorn app.main:app`."""

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator

from app import health, problems
from app.database import Database
from app.drain import Drain
from app.faults import Faults, InjectFaults
from app.faults import router as faults_router
from app.lifespan import Lifecycle
from app.middleware.access_log import AccessLog
from app.middleware.draining import Draining
from app.middleware.served_by import ServedBy
from app.middleware.unhandled_errors import UnhandledErrors
from app.observability.logs import configure_logging
from app.observability.metrics import describe_target
from app.observability.platform_requests import PREFIXES
from app.observability.requests import observe_request
from app.observability.resource import resource
from app.observability.sentry import configure_sentry
from app.observability.tracing import configure_tracing, request_spans
from app.readiness import Readiness
from app.receipts import router as receipts
from app.schema import SchemaProbe
from app.settings import Settings, load_settings
from app.shop import feed, orders, products


def create_app(settings: Settings) -> FastAPI:
    """Build the application. It opens no connection before its lifespan starts."""
    database = Database(settings)
    schema = SchemaProbe(settings)
    drain = Drain(settings.drain_seconds, settings.graceful_seconds)
    readiness = _readiness(settings, schema, drain)
    traces = configure_tracing(settings)
    lifecycle = Lifecycle(settings, database, schema, drain, traces)

    app = FastAPI(
        title="Shop",
        version=settings.service_version,
        lifespan=lifecycle,
        telemetry=request_spans(traces),
        redirect_slashes=False,  # one path per resource: redirects would add a metric series for each other spelling
    )
    app.state.database, app.state.drain, app.state.readiness = database, drain, readiness
    problems.install_handlers(app)
    for router in (health.router, products.router, feed.router, orders.router, receipts.router):
        app.include_router(router)

    # Each middleware wraps those above it: the last one receives a request first.
    app.add_middleware(UnhandledErrors, report=settings.sentry_dsn is not None)
    if settings.faults_enabled:
        _install_faults(app, readiness)
    Instrumentator(should_group_status_codes=False, excluded_handlers=[f"^{prefix}" for prefix in PREFIXES]).add(
        observe_request
    ).instrument(app)
    app.add_middleware(AccessLog)
    app.add_middleware(Draining, drain=drain)
    app.add_middleware(ServedBy, pod_name=settings.pod_name)
    return app


def _readiness(settings: Settings, schema: SchemaProbe, drain: Drain) -> Readiness:
    readiness = Readiness(settings.readiness_seconds)
    readiness.add("database", schema.database)
    readiness.add("migrations", schema.migrations)
    readiness.add("draining", drain.check)
    return readiness


def _install_faults(app: FastAPI, readiness: Readiness) -> None:
    app.state.faults = faults = Faults()
    app.include_router(faults_router)
    app.add_middleware(InjectFaults, faults=faults)
    readiness.add("faults", faults.check)


_settings = load_settings()
_resource = resource(_settings)
configure_logging(_settings.log_level, _resource)
describe_target(_resource)
configure_sentry(_settings)
app = create_app(_settings)
