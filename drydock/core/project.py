"""The project of a command: its root, its drydock.toml, and the folders for state and downloads."""

import os
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from drydock.core.errors import CannotRunError

CONFIGURATION = "drydock.toml"

Url = Annotated[str, StringConstraints(pattern=r"^http://(localhost|127\.0\.0\.1):\d+$")]
UrlPath = Annotated[str, StringConstraints(pattern=r"^/")]
Command = Annotated[tuple[str, ...], Field(min_length=1)]
PlatformName = Literal["kind", "compose", "local"]


class Section(BaseModel):
    """A table of drydock.toml. An unknown key is an error, because it is most likely a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


LifecycleEvent = Literal[
    "startup", "ready", "unready", "draining", "drained", "pool_closed", "telemetry_flushed", "stopped"
]


class Lifecycle(Section):
    """The JSON log lines of the logger `logger`, which report the service's lifecycle.

    The message of such a line is the name of an event. `events` maps drydock's names to those of the service if they
    differ.
    """

    logger: str
    events: dict[LifecycleEvent, str] = {}


class Workload(Section):
    """The Kubernetes names of the service under test. Without `lifecycle`, drydock does not read its log.

    `no_connection` is a text in the body of the 503 that the service sends when it has no connection to its database.
    Without it, drydock cannot distinguish such a 503 from others.
    """

    namespace: str
    deployment: str
    container: str
    service: str
    no_connection: str = ""
    lifecycle: Lifecycle | None = None

    @property
    def url_in_cluster(self) -> str:
        """The address of the Service for a client in another namespace of the cluster."""
        return f"http://{self.service}.{self.namespace}"


class Probes(Section):
    """The paths of the health endpoints."""

    live: UrlPath
    ready: UrlPath


class Platforms(Section):
    """The address of the service on each platform. Only loopback addresses are valid."""

    kind: Url
    compose: Url
    local: Url

    def url(self, name: PlatformName) -> str:
        """The address on one platform."""
        return {"kind": self.kind, "compose": self.compose, "local": self.local}[name]

    def port(self, name: PlatformName) -> int:
        """The TCP port on one platform."""
        return int(self.url(name).rsplit(":", 1)[1])


class TelemetryAddresses(Section):
    """The addresses of the telemetry stack's web pages. Only loopback addresses are valid."""

    grafana: Url
    prometheus: Url
    jaeger: Url


class TelemetryPlatform(StrEnum):
    """The platforms with a telemetry stack. The local platform has none."""

    KIND = "kind"
    COMPOSE = "compose"


class Telemetry(Section):
    """The telemetry stack on each platform."""

    kind: TelemetryAddresses
    compose: TelemetryAddresses

    def pages(self, platform: TelemetryPlatform) -> TelemetryAddresses:
        """The addresses on one platform."""
        return self.kind if platform is TelemetryPlatform.KIND else self.compose


class Local(Section):
    """How the local platform runs the service. `grace_seconds` is the longest time that it waits for a graceful stop.

    Drills on the local platform take probes, preStop and grace period from the manifest `deployment`, and the
    environment from the file `variables`.
    """

    command: Command
    migrate: Command
    deployment: str
    variables: str
    grace_seconds: float = Field(gt=0)
    environment: dict[str, str] = {}


class Audit(Section):
    """The consistency checks of the database after a drill. `violations` and `figures` map names to SQL that counts.

    A violation must count zero. `psql` is a command that accepts further options at its end, and drydock runs it in
    `pod`.
    """

    pod: str
    psql: Command
    violations: dict[str, str] = Field(min_length=1)
    figures: dict[str, str] = {}


class Shutdown(Section):
    """The environment variables that bound each step of the service's shutdown, in seconds. Those of a step add up.

    `backlog_seconds` is the longest time that the service needs to answer the connections in its listen backlog.
    """

    drain: tuple[str, ...]
    graceful: tuple[str, ...]
    close: tuple[str, ...]
    backlog_seconds: float = Field(ge=0)


class Connections(Section):
    """The database connections of each client.

    A Deployment with the environment variable `variable` uses the database. Each of its pods opens a pool of
    `pool_variable` connections (`default_pool` where it is not set) and `beside_the_pool` more. `others` are the
    connections of other clients by name. `each_trigger` are those of an autoscaler's trigger that queries the database.
    """

    variable: str
    pool_variable: str
    default_pool: int = Field(ge=1)
    beside_the_pool: int = Field(ge=0)
    each_trigger: int = Field(ge=0)
    others: dict[str, int]


class Preparation(Section):
    """The request that creates a subject. `identifier` is the field of its JSON response with the subject's id."""

    method: str
    route: UrlPath
    path: UrlPath
    body: str = ""
    identifier: str


class JudgedRequest(Section):
    """A kind of request. Its share of all requests is its `weight` divided by the sum of the weights.

    With `per_second`, it has a rate instead of a share: at most that many a second. With `key`, the request carries an
    Idempotency-Key and is audited. In path and body, `{subject}` stands for the id of a subject, and `{answer}` for the
    field `identifier` in the latest 2xx response to the request `after`, such as `POST /items`. Until there is such a
    response, the judge sends another request instead.
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
    """The requests that the judge sends. The long lane sends the first request that has a body.

    `served_by_header` is the response header with the name of the pod. Without it, the answering pod is unknown. With
    `idle_lane`, eight more connections pause between requests as those of a reverse proxy do, until just before the
    server closes them, and for `idle_seconds` at the most.
    """

    served_by_header: str | None = None
    timeout_seconds: float = Field(gt=0)
    subjects: int = Field(ge=0)
    kept_connections: int = Field(ge=1)
    long_rate: float = Field(ge=0)
    long_seconds: float = Field(gt=0)
    idle_lane: bool = False
    idle_seconds: float = Field(default=60, gt=0)
    prepare: Preparation
    requests: tuple[JudgedRequest, ...]

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if not any(request.per_second is None and not request.after for request in self.requests):
            raise ValueError("requests: at least one must have a weight and no `after`")
        known = {f"{request.method} {request.route}" for request in self.requests}
        unknown = {request.after for request in self.requests if request.after} - known
        if unknown:
            raise ValueError(f"requests: after = {', '.join(sorted(unknown))} is not one of {', '.join(sorted(known))}")
        return self


class FaultRequest(Section):
    """The request that makes a pod fail. It is sent to that pod directly.

    `variant` names the patch in k8s/variants that adds the route to the Deployment. Without it, the route must exist.
    """

    variant: str | None = None
    method: str = "POST"
    path: UrlPath
    body: dict[str, Any] = {}


class Disruptions(Section):
    """The settings of all shutdown drills. Durations are seconds; `rate` is requests a second.

    `migrations` is the folder of SQL files for the drill migrate (drydock/drills/migration_files.py). `block_loop` is
    the request that blocks a pod's event loop for a minute. A drill without its setting refuses to run.
    """

    rate: float = Field(gt=0)
    steady_seconds: float = Field(gt=0)
    recovery_seconds: float = Field(gt=0)
    most_seconds: float = Field(gt=0)
    least_requests: int = Field(ge=1)
    migrations: str | None = None
    block_loop: FaultRequest | None = None


class ScaleDrill(Section):
    """The load of the scaling drill and its objectives. Durations are seconds."""

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
    """The settings of the drills."""

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
        """Reads the nearest drydock.toml in `start` (default: the working directory) or above it.

        Raises:
            CannotRunError: there is none, or it is invalid; the reason names each invalid key.
        """
        folder = (start or Path.cwd()).resolve()
        for candidate in (folder, *folder.parents):
            if (candidate / CONFIGURATION).is_file():
                return cls(candidate, _read(candidate / CONFIGURATION))
        remedy = "Run the command inside a Drydock checkout."
        raise CannotRunError(f"no {CONFIGURATION} in {folder} or above it", remedy)

    @property
    def state(self) -> Path:
        """The folder for logs, pid files, drill records, the kubeconfig and the local database. Git ignores it."""
        return self.root / ".local"

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with drydock's cluster alone, so that no command reaches another cluster by mistake."""
        return self.state / "kubeconfig"

    @property
    def kind_configuration(self) -> Path:
        """The configuration of the kind cluster."""
        return self.root / "k8s" / "kind.yaml"


def cache_folder() -> Path:
    """The folder for downloads, shared by all checkouts: `DRYDOCK_CACHE`, or `drydock` in the user's cache folder."""
    if chosen := os.environ.get("DRYDOCK_CACHE"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "drydock"


def _read(path: Path) -> Configuration:
    try:
        return Configuration.model_validate(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise CannotRunError(f"{path} is not TOML: {error}", "Correct the file, then run the command again.") from error
    except ValidationError as error:
        wrong = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        remedy = "Correct these keys, then run the command again."
        raise CannotRunError(f"{path} is not valid:\n{wrong}", remedy) from error
