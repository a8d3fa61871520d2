"""A smoke test: steady traffic from inside a platform, what was lost of it, and where to look."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.console import message, step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project, TelemetryAddresses, TelemetryPlatform
from drydock.load.jobs import LoadJob
from drydock.system import http
from drydock.system.processes import output, succeeds

type Account = dict[str, Any]

SERVICE = "traffic"
CONTAINER = "drydock-traffic"
QUERY = "sum by (outcome) (client_requests_total)"


@dataclass(frozen=True)
class Load:
    """What is sent: requests a second, and for how many seconds."""

    rate: float
    seconds: float

    @property
    def environment(self) -> Mapping[str, str]:
        """The load as the load generator reads it."""
        return {"TRAFFIC_RATE": f"{self.rate:g}", "TRAFFIC_SECONDS": f"{self.seconds:g}"}


def run(project: Project, platform: TelemetryPlatform, load: Load) -> None:
    """Sends the load on `platform`; shows what the load generator says, then where to look.

    Raises:
        FailedError: requests were lost.
        CannotRunError: the service does not answer, or the load generator could not run.
    """
    refuse_if_unready(project, platform)
    if platform is TelemetryPlatform.KIND:
        account = _on_kind(KindPlatform(project), load)
    else:
        account = _on_compose(project, load)
    for line in where_to_look(project.configuration.telemetry.pages(platform)):
        message(line)
    if account["lost"]:
        raise FailedError(verdict(account), "Look at the traces of the lost requests, and at the service's log.")


def refuse_if_unready(project: Project, platform: TelemetryPlatform) -> None:
    """Asks the service itself, so that a platform that is down is said at once.

    Raises:
        CannotRunError: it is not ready.
    """
    url = project.configuration.platforms.url(platform.value)
    if not http.answers(url + project.configuration.probes.ready):
        start = "drydock up" if platform is TelemetryPlatform.KIND else "docker compose up --wait"
        raise CannotRunError(f"the service is not ready at {url}", f"Start it: {start}")


def follow(command: Sequence[str], stop: Callable[[], object]) -> Account:
    """Shows what the load generator says, but for the account of the run, which is returned.

    Ctrl-C calls `stop`, and what is said after that is still shown.

    Raises:
        CannotRunError: it ended without an account.
        KeyboardInterrupt: Ctrl-C, once it has come to its end.
    """
    # A session of its own: Ctrl-C must reach the load generator, not the program that shows what it says.
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    ) as process:
        try:
            account = _show(process)
        except KeyboardInterrupt:
            stop()
            _show(process)
            raise
    if account is None:
        raise CannotRunError("the load generator did not come to its end: see what it said above")
    return account


def account_in(line: str) -> Account | None:
    """The account of a run, where the line is one."""
    try:
        loaded = json.loads(line)
    except json.JSONDecodeError:
        return None
    return loaded if isinstance(loaded, dict) and "outcomes" in loaded else None


def verdict(account: Account) -> str:
    """How many requests were lost, and how."""
    lost = {name: count for name, count in account["outcomes"].items() if count and name != "ok"}
    said = ", ".join(f"{count:,} {name}" for name, count in lost.items())
    return f"{account['lost']:,} of {account['sent']:,} requests were lost: {said}"


def where_to_look(pages: TelemetryAddresses) -> Iterator[str]:
    """The pages that show the run, of those that answer."""
    for page, path, shows in [
        (pages.grafana, "/d/service", "the service while it ran"),
        (pages.jaeger, "/search?service=traffic", "the traces, from the client's side"),
        (pages.prometheus, f"/query?g0.expr={quote(QUERY)}", "what became of the requests"),
    ]:
        if http.status(page) is not None:
            yield f"{page}{path}  {shows}"


def _on_kind(platform: KindPlatform, load: Load) -> Account:
    job = LoadJob(platform)
    try:
        with step("load generator") as progress:
            job.start(load.environment, load.seconds, progress)
    except KeyboardInterrupt:
        job.stop()
        raise
    return follow(job.follow_command, job.stop)


def _on_compose(project: Project, load: Load) -> Account:
    compose = ["docker", "compose", "--file", str(project.root / "compose.yaml"), "--profile", "load"]
    with step("load generator"):
        output([*compose, "build", "--quiet", SERVICE])
    variables = [f"--env={name}={value}" for name, value in load.environment.items()]
    # Under its service's name too, or Prometheus would not find it; beside the service that runs, and no other.
    options = ["--rm", "--no-TTY", "--no-deps", "--use-aliases", "--name", CONTAINER]
    command = [*compose, "--progress", "quiet", "run", *options, *variables, SERVICE]
    return follow(command, lambda: succeeds(["docker", "kill", "--signal", "TERM", CONTAINER]))


def _show(process: subprocess.Popen[str]) -> Account | None:
    """Shows what is said until the end, but for the account, which is returned where there is one."""
    account = None
    for line in process.stdout or ():
        if found := account_in(line):
            account = found
        else:
            typer.echo(line, nl=False)
    return account
