"""A smoke test: the judge sends at a steady rate inside a platform, and prints losses and dashboards."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import typer

from drydock.cluster.platform import KindPlatform
from drydock.core.console import message, step
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project, TelemetryAddresses, TelemetryPlatform
from drydock.judge.exports import SHARE
from drydock.judge.ledger import NAME
from drydock.judge.plan import VARIABLE, Plan
from drydock.judge_client import account
from drydock.judge_client.account import Account
from drydock.judge_client.job import JudgeJob
from drydock.judge_client.process import JudgeContainer
from drydock.judge_client.progress_sample import ProgressSample
from drydock.load import live_load
from drydock.load.live_load import LoadSource
from drydock.runs.folder import RunFolder
from drydock.system import http
from drydock.system.processes import output

CONTAINER = "drydock-judge"
QUERY = "sum by (outcome) (client_requests_total)"
# The port of the service in its container. Compose has no Service in front of it.
COMPOSE_PORT = 8000
# A drill keeps one trace in twenty; so few requests are worth all of theirs.
VARIABLES = {SHARE: "1"}


@dataclass(frozen=True)
class Load:
    """The load: requests a second, and seconds."""

    rate: float
    seconds: float

    @property
    def planned(self) -> int:
        """The number of requests."""
        return int(self.rate * self.seconds)


def run(project: Project, platform: TelemetryPlatform, load: Load) -> None:
    """Sends the load on `platform`, and prints the counts and the pages that show it.

    Raises:
        FailedError: requests were lost.
        CannotRunError: the service does not answer, or the judge could not run.
        KeyboardInterrupt: Ctrl-C, once what was sent by then is accounted for.
    """
    refuse_if_unready(project, platform)
    judge = on_kind(project, load) if platform is TelemetryPlatform.KIND else on_compose(project, load)
    seen, interrupted = send(judge, load)
    for line in seen.lines():
        typer.echo(line)
    if interrupted:
        raise KeyboardInterrupt
    for line in where_to_look(project.configuration.telemetry.pages(platform)):
        message(line)
    if seen.lost:
        raise FailedError(seen.verdict(), "Look at the traces of the lost requests, and at the service's log.")


def refuse_if_unready(project: Project, platform: TelemetryPlatform) -> None:
    """Asks the service itself, so that a stopped platform fails at once.

    Raises:
        CannotRunError: it is not ready.
    """
    url = project.configuration.platforms.url(platform.value)
    if not http.answers(url + project.configuration.probes.ready):
        start = "drydock up" if platform is TelemetryPlatform.KIND else "docker compose up --wait"
        raise CannotRunError(f"the service is not ready at {url}", f"Start it: {start}")


def send(judge: LoadSource[ProgressSample], load: Load) -> tuple[Account, bool]:
    """Runs the judge to its end. Returns its counts, and whether Ctrl-C ended it early.

    Raises:
        CannotRunError: it could not run.
        FailedError: its account is not whole.
    """
    live_load.start(judge, NAME)
    try:
        interrupted = follow(judge, load)
        with tempfile.TemporaryDirectory() as folder:
            judge.collect(Path(folder))
            return Account.read(RunFolder(Path(folder)), load.planned), interrupted
    except BaseException:
        judge.remove()
        raise


def follow(judge: LoadSource[ProgressSample], load: Load) -> bool:
    """Shows the progress until the end. Returns whether Ctrl-C ended it early."""
    with step("requests") as progress:

        def show(sample: ProgressSample) -> None:
            progress.detail = account.progress(sample, load.planned)

        return live_load.follow(judge, show)


def where_to_look(pages: TelemetryAddresses) -> Iterator[str]:
    """The pages that show the run, of those that answer."""
    for page, path, shows in [
        (pages.grafana, "/d/service", "the service while it ran"),
        (pages.jaeger, f"/search?service={NAME}", "the traces, from the client's side"),
        (pages.prometheus, f"/query?g0.expr={quote(QUERY)}", "the requests by outcome"),
    ]:
        if http.status(page) is not None:
            yield f"{page}{path}  {shows}"


def on_kind(project: Project, load: Load) -> JudgeJob:
    """The judge as a Job of the cluster."""
    plan = plan_of(project, project.configuration.workload.url_in_cluster, load)
    return JudgeJob(KindPlatform(project), plan, VARIABLES)


def on_compose(project: Project, load: Load) -> JudgeContainer:
    """The judge as a container beside the service. Builds its image."""
    compose = ["docker", "compose", "--file", str(project.root / "compose.yaml"), "--profile", "load"]
    with step("image of the judge"):
        output([*compose, "build", "--quiet", NAME])
    plan = plan_of(project, f"http://{project.configuration.workload.service}:{COMPOSE_PORT}", load)
    variables = [f"--env={name}" for name in (VARIABLE, *VARIABLES)]
    # Under its service's name too, or Prometheus would not find it; beside the service that runs, and no other.
    options = ["--no-TTY", "--no-deps", "--use-aliases", "--name", CONTAINER]
    command = [*compose, "--progress", "quiet", "run", *options, *variables, NAME]
    return JudgeContainer(plan, variables=VARIABLES, command=command, name=CONTAINER)


def plan_of(project: Project, url: str, load: Load) -> Plan:
    """The plan by drydock.toml, without long requests, whose seconds would hide those of the others.

    It is without the lane idle too: a smoke test sends what it has planned.
    """
    return replace(Plan.of(project.configuration.judge, url, load.rate, load.seconds), long_rate=0, idle_lane=False)
