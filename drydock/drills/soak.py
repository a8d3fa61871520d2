"""Repeats the drills that may lose nothing, and adds their evidence up: rare losses need many requests to show."""

import time
from collections.abc import Sequence
from itertools import cycle
from typing import Any

from drydock.core.console import message
from drydock.core.project import Disruptions
from drydock.drills import drill_catalogue
from drydock.drills.all import DrillResult, run_one
from drydock.drills.disruption import Disruption
from drydock.requests.statistics import in_words
from drydock.targets.target import Target


def run(target: Target, settings: Disruptions, hours: float) -> list[DrillResult]:
    """Runs one drill after the other until the time is over; the last one is finished.

    Raises:
        KeyboardInterrupt: Ctrl-C, after the service is restored.
    """
    lines: list[DrillResult] = []
    deadline = time.monotonic() + hours * 3600
    for drill in cycle(lossless(target, settings)):
        if time.monotonic() >= deadline:
            break
        message(f"\n{len(lines) + 1}. {drill.name}")
        lines.append(run_one(drill, target))
        message(f"{lines[-1].drill}: {lines[-1].result}. {summary(lines)}")
    return lines


def lossless(target: Target, settings: Disruptions) -> list[Disruption[Any]]:
    """The drills of the platform whose objectives allow no loss."""
    drills = (kind(settings) for kind in drill_catalogue.DISRUPTIONS if target.name in kind.platforms)
    return [it for it in drills if not it.objectives.lost and not it.objectives.allowed]


def summary(lines: Sequence[DrillResult]) -> str:
    """The sum of the requests over all runs with a verdict."""
    ran = [line for line in lines if line.figures]
    lost, sent = (sum(line.figures[name] for line in ran) for name in ("lost", "sent"))
    return f"So far, {len(ran)} runs: {in_words(lost, sent)}"
