"""`drydock smoke`: send a minute of requests and count each outcome."""

from typing import Annotated

import typer

from drydock.core.project import Project, TelemetryPlatform
from drydock.judge_client import smoke as smoke_test
from drydock.judge_client.smoke import Load


def smoke(
    platform: Annotated[TelemetryPlatform, typer.Option(help="Where the service runs.")] = TelemetryPlatform.KIND,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Requests a second.")] = 20,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long to send.")] = 60,
) -> None:
    """Send requests at a steady rate from inside the platform, and count the outcome of each.

    Ctrl-C ends it early, with the counts so far. Exit code 1: a request was lost. Exit code 2: it could not run.
    """
    smoke_test.run(Project.find(), platform, Load(rate, seconds))
