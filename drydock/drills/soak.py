"""Repeats the drills that may lose nothing, and adds their evidence up: rare losses need many requests to show."""

import time
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any

from drydock.core.project import Disruptions
from drydock.drills.all import DrillResult
from drydock.drills.disruption import Disruption
from drydock.drills.drill_catalogue import DISRUPTIONS
from drydock.requests.statistics import in_words
from drydock.targets.target import Target


def chosen(target: Target, settings: Disruptions, hours: float) -> Iterator[Disruption[Any]]:
    """One drill after the other until the time is over."""
    deadline = time.monotonic() + hours * 3600
    for kind in cycle(lossless(target, settings)):
        if time.monotonic() >= deadline:
            return
        yield kind(settings)


def lossless(target: Target, settings: Disruptions) -> list[type[Disruption[Any]]]:
    """The drills of the platform whose objectives allow no loss."""
    objectives = {kind: kind(settings).objectives for kind in DISRUPTIONS if target.name in kind.platforms}
    return [kind for kind, it in objectives.items() if not it.lost and not it.allowed]


def summary(lines: Sequence[DrillResult]) -> str:
    """The sum of the requests over all runs with a verdict."""
    ran = [line for line in lines if line.figures]
    lost, sent = (sum(line.figures[name] for line in ran) for name in ("lost", "sent"))
    return f"So far, {len(ran)} runs: {in_words(lost, sent)}"
