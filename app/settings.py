"""The service's configuration: environment variables, read once and validated before startup."""

import socket
import sys
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

# uvicorn's exit code for a failed startup. With --workers its parent then stops instead of restarting workers forever.
STARTUP_FAILURE = 3


class Settings(BaseSettings):
    """Every variable the service reads. Durations are in seconds. Each description is the remedy in an error."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    database_url: SecretStr = Field(description="set it to postgresql://USER:PASSWORD@HOST:5432/NAME")
    database_pool_size: int = Field(5, ge=1, le=100, description="set it to the most connections one process may hold")
    database_acquire_seconds: float = Field(2, gt=0, description="set it to the longest wait for a free connection")
    database_command_seconds: float = Field(5, gt=0, description="set it to the longest time one statement may take")
    database_connect_seconds: float = Field(3, gt=0, description="set it to the longest time to open a connection")

    drain_seconds: float = Field(5, ge=0, description="set it to the time the listener stays open after SIGTERM")
    graceful_seconds: int = Field(15, ge=1, description="set it to the time requests may take after the drain")
    pool_close_seconds: float = Field(3, gt=0, description="set it to the longest time to close the pool")
    telemetry_flush_seconds: float = Field(3, gt=0, description="set it to the longest time to send the last spans")

    receipt_processes: int = Field(1, ge=1, le=64, description="set it to the worker's number of CPUs")
    receipt_poll_seconds: float = Field(0.5, gt=0, description="set it to the polling interval of the queue")
    receipt_render_seconds: float = Field(10, gt=0, description="set it to the longest time one rendering may take")
    receipt_stale_seconds: float = Field(
        10, gt=0, description="set it to the time without a heartbeat after which other workers take a worker's jobs"
    )
    receipt_attempts: int = Field(5, ge=1, description="set it to the most attempts to render a receipt")
    receipt_retry_seconds: float = Field(
        1, gt=0, description="set it to the delay before the second attempt; it doubles with each further attempt"
    )

    readiness_seconds: float = Field(1, gt=0, description="set it to the longest time all readiness checks may take")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="set it to one of these words")
    faults_enabled: bool = Field(False, description="set it to true to serve /faults, in experiments only")

    service_name: str = Field("shop", min_length=1, description="set it to the name that telemetry carries")
    service_version: str = Field("dev", min_length=1, description="set it to the version that telemetry carries")
    pod_name: str = Field(default_factory=socket.gethostname, description="set it to the name of this instance")
    pod_namespace: str | None = Field(None, description="set it to the pod's namespace, on Kubernetes only")
    node_name: str | None = Field(None, description="set it to the pod's node, on Kubernetes only")

    sentry_dsn: SecretStr | None = Field(None, description="set it to the project's DSN, or leave it unset")
    otel_exporter_otlp_endpoint: str | None = Field(
        None, pattern=r"^https?://", description="set it to http://HOST:4318, or leave it unset"
    )
    otel_traces_sampler_arg: float = Field(1.0, ge=0, le=1, description="set it to the share of traces to keep")
    # Short, so that few spans are left to send when the process ends.
    otel_bsp_schedule_delay: int = Field(1000, gt=0, description="set it to the export interval, in milliseconds")

    migration_lock_seconds: float = Field(
        60, gt=0, description="set it to the longest time a migration may wait for the database and the lock"
    )

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("is not a postgresql:// address")
        return url

    @property
    def dsn(self) -> str:
        """The database's address, password included. Pass it only to the driver."""
        return self.database_url.get_secret_value()


def load_settings() -> Settings:
    """Read the settings from the environment. If any is wrong, print its variable and remedy and exit."""
    try:
        return Settings()
    except ValidationError as error:
        print("\n".join(complaints(error)), file=sys.stderr)  # noqa: T201 - logging is not configured yet
        raise SystemExit(STARTUP_FAILURE) from None


def complaints(error: ValidationError) -> list[str]:
    """One line per wrong variable: name, fault and remedy. Never the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        field = str(problem["loc"][0])
        fault = "is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
        lines.append(f"configuration: {field.upper()}: {fault}; {Settings.model_fields[field].description}")
    return lines
