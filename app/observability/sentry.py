"""Sentry: reports unhandled exceptions if a DSN is set."""

from app.settings import Settings


def configure_sentry(settings: Settings) -> None:
    """Start the client. It sends only the exceptions the service reports: no patches, no traces, no personal data."""
    if settings.sentry_dsn is None:
        return
    import sentry_sdk

    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        release=settings.service_version,
        server_name=settings.pod_name,
        default_integrations=False,
        send_default_pii=False,
        traces_sample_rate=0,
    )


def report(error: BaseException, trace_id: str | None) -> None:
    """Send one exception, tagged with its trace. Does nothing if no DSN is set."""
    import sentry_sdk

    with sentry_sdk.new_scope() as scope:
        if trace_id is not None:
            scope.set_tag("trace_id", trace_id)
        sentry_sdk.capture_exception(error)


def flush(seconds: float) -> None:
    """Wait up to `seconds` for pending reports."""
    import sentry_sdk

    sentry_sdk.flush(timeout=seconds)
