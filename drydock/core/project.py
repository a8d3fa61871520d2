"""The project that a command works on: its root, its drydock.toml, and the folders where it keeps things."""

import os
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from drydock.core.errors import CannotRunError

CONFIGURATION = "drydock.toml"

Url = Annotated[str, StringConstraints(pattern=r"^http://(localhost|127\.0\.0\.1):\d+$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/")]
Command = Annotated[tuple[str, ...], Field(min_length=1)]
PlatformName = Literal["kind", "compose", "local"]


class Section(BaseModel):
    """A table of drydock.toml; an unknown key is an error, because it is a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Workload(Section):
    """The Kubernetes names of the service under test."""

    namespace: str
    deployment: str
    container: str
    service: str


class Probes(Section):
    """The paths of the health endpoints."""

    live: UrlPath
    ready: UrlPath


class Platforms(Section):
    """Where the service answers on this machine: loopback addresses only."""

    kind: Url
    compose: Url
    local: Url

    def url(self, name: PlatformName) -> str:
        """The address of the service on the platform `name`."""
        return {"kind": self.kind, "compose": self.compose, "local": self.local}[name]

    def port(self, name: PlatformName) -> int:
        """The TCP port of that address."""
        return int(self.url(name).rsplit(":", 1)[1])


class TelemetryAddresses(Section):
    """Where the pages of the telemetry stack are on this machine: loopback addresses only."""

    grafana: Url
    prometheus: Url
    jaeger: Url


class TelemetryPlatform(StrEnum):
    """The platforms that have a telemetry stack: the local one has none."""

    KIND = "kind"
    COMPOSE = "compose"


class Telemetry(Section):
    """The telemetry stack, platform by platform."""

    kind: TelemetryAddresses
    compose: TelemetryAddresses

    def pages(self, platform: TelemetryPlatform) -> TelemetryAddresses:
        """Where the stack's pages are on `platform`."""
        return self.kind if platform is TelemetryPlatform.KIND else self.compose


class Local(Section):
    """How the local platform runs the service; `grace_seconds` is how long it may take to stop.

    Drills read probes, preStop and the grace period from the manifest `deployment`, and the file `variables`.
    """

    command: Command
    migrate: Command
    deployment: str
    variables: str
    grace_seconds: float = Field(gt=0)
    environment: dict[str, str] = {}


class Audit(Section):
    """What must be true of the database after a drill; each value of `violations` and `figures` is SQL that counts.

    `pod` is where `psql`, a command that takes further options at its end, reaches the database.
    """

    pod: str
    psql: Command
    violations: dict[str, str] = Field(min_length=1)
    figures: dict[str, str] = {}


class Shutdown(Section):
    """The variables that bound the steps of the service's shutdown, in seconds; those of one step add up.

    `backlog_seconds` is what the service itself takes at the most to work off what its listener had accepted.
    """

    drain: tuple[str, ...]
    graceful: tuple[str, ...]
    close: tuple[str, ...]
    backlog_seconds: float = Field(ge=0)


class Connections(Section):
    """Who connects to the database: Deployments that get `variable`, each pod its pool and `beside_the_pool` more.

    `others` are those of everybody else by name, `each_trigger` those of an autoscaler's trigger that asks the
    database.
    """

    variable: str
    pool_variable: str
    default_pool: int = Field(ge=1)
    beside_the_pool: int = Field(ge=0)
    each_trigger: int = Field(ge=0)
    others: dict[str, int]


class Preparation(Section):
    """The request that makes a subject; `identifier` is the field of its JSON answer that names it."""

    method: str
    route: UrlPath
    path: UrlPath
    body: str = ""
    identifier: str


class JudgedRequest(Section):
    """A kind of request; `weight` of all weights is its share.

    With `key` it carries an Idempotency-Key, and is audited. With `per_second` it has no share: it is sent at most so
    often, whatever the rate. In path and body `{subject}` is one of the subjects, and `{answer}` the field `identifier`
    of the newest good answer to the request `after`, such as `POST /orders`. Until there is such an answer, another
    request is sent in its place.
    """

    method: str
    route: UrlPath
    path: UrlPath
    weight: int = Field(default=1, ge=1)
    body: str = ""
    key: bool = False
    per_second: float | None = Field(default=None, gt=0)
    after: str = ""
    identifier: str = "id"


class JudgeSettings(Section):
    """What the judge of the shutdown drills sends. The first request with a body is also sent as a long one."""

    timeout_seconds: float = Field(gt=0)
    subjects: int = Field(ge=0)
    kept_connections: int = Field(ge=1)
    long_rate: float = Field(ge=0)
    long_seconds: float = Field(gt=0)
    prepare: Preparation
    requests: tuple[JudgedRequest, ...]

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if not any(request.per_second is None and not request.after for request in self.requests):
            raise ValueError("requests: one at least must have a weight, and need no answer to another one")
        known = {f"{request.method} {request.route}" for request in self.requests}
        unknown = {request.after for request in self.requests if request.after} - known
        if unknown:
            raise ValueError(f"requests: after = {', '.join(sorted(unknown))} is none of {', '.join(sorted(known))}")
        return self


class Migration(Section):
    """A change of the schema: `steps`, each SQL of its own; `clean` takes away what they added.

    `locking` is the same done badly: the negative control.
    """

    steps: tuple[str, ...] = Field(min_length=1)
    locking: tuple[str, ...] = Field(min_length=1)
    clean: str


class Disruptions(Section):
    """What all shutdown drills have in common. Durations are seconds; `rate` is in requests a second."""

    rate: float = Field(gt=0)
    steady_seconds: float = Field(gt=0)
    recovery_seconds: float = Field(gt=0)
    most_seconds: float = Field(gt=0)
    least_requests: int = Field(ge=1)
    migrate: Migration


class ScaleDrill(Section):
    """The scaling drill: what it loads the service with, and its objectives. Durations are seconds."""

    scaled_object: str
    rate_trigger: str
    faults_variable: str
    route: UrlPath
    first_ready_target_seconds: float = Field(gt=0)
    first_ready_seconds: float = Field(gt=0)
    p95_seconds: float = Field(gt=0)
    pods: int = Field(ge=2)
    share_band: float = Field(gt=0, lt=1)
    back_seconds: float = Field(gt=0)
    load: dict[str, str]


class Drills(Section):
    """The drills, each with its objectives."""

    scale: ScaleDrill
    disruptions: Disruptions


class Configuration(Section):
    """All of drydock.toml."""

    workload: Workload
    probes: Probes
    platforms: Platforms
    telemetry: Telemetry
    local: Local
    shutdown: Shutdown
    connections: Connections
    audit: Audit
    judge: JudgeSettings
    drills: Drills


@dataclass(frozen=True)
class Project:
    """A checkout with a drydock.toml at its root."""

    root: Path
    configuration: Configuration

    @classmethod
    def find(cls, start: Path | None = None) -> Self:
        """Reads the nearest drydock.toml at or above `start` (default: the working directory).

        Raises:
            CannotRunError: there is none, or it is not valid; the reason names each wrong key.
        """
        folder = (start or Path.cwd()).resolve()
        for candidate in (folder, *folder.parents):
            if (candidate / CONFIGURATION).is_file():
                return cls(candidate, _read(candidate / CONFIGURATION))
        raise CannotRunError(f"no {CONFIGURATION} in {folder} or above it", "Run this inside a Drydock checkout.")

    @property
    def state(self) -> Path:
        """Where this checkout keeps what it runs (logs, pid files, kubeconfig, the local database); git ignores it."""
        return self.root / ".local"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig that knows our cluster and no other, so that no command can reach another one by mistake."""
        return self.state / "kubeconfig"

    @property
    def kind_configuration(self) -> Path:
        """What the cluster is made from."""
        return self.root / "k8s" / "kind.yaml"


def cache_folder() -> Path:
    """Where downloads are kept for every checkout: `DRYDOCK_CACHE`, or `drydock` in the user's cache folder."""
    if chosen := os.environ.get("DRYDOCK_CACHE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "drydock"


def _read(path: Path) -> Configuration:
    try:
        return Configuration.model_validate(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise CannotRunError(f"{path} is not TOML: {error}", "Correct it and run again.") from error
    except ValidationError as error:
        wrong = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise CannotRunError(f"{path} is not valid:\n{wrong}", "Correct these keys and run again.") from error
