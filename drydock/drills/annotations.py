"""Marks on Grafana's dashboards: when a drill began, what it did, and when it was over."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from drydock.core.console import message
from drydock.core.errors import FailedError
from drydock.telemetry.grafana import Grafana

# What the dashboards' annotation source `Drills` asks for (drydock/dashboards/conventions.py).
TAG = "drill"


@dataclass
class Annotations:
    """Annotations of the drill `name`. A Grafana that does not take them is said once, and the drill goes on.

    Where there is no Grafana at all, nothing is marked.
    """

    grafana: Grafana | None
    name: str
    _refused: bool = field(default=False, init=False)

    def mark(self, text: str, began: float | None = None) -> None:
        """Marks this moment, or the time from `began` (Unix seconds) until now."""
        if self._refused or self.grafana is None:
            return
        now = time.time()
        try:
            self.grafana.annotate(
                text, [TAG, self.name], now if began is None else began, None if began is None else now
            )
        except FailedError as error:
            self._refused = True
            message(f"The drill is not marked on the dashboards: {error.reason}")


@contextmanager
def annotations_of(name: str, dashboards: str | None) -> Iterator[Annotations]:
    """The annotations of a drill on the Grafana at this address."""
    if dashboards is None:
        yield Annotations(None, name)
        return
    with Grafana(dashboards) as grafana:
        yield Annotations(grafana, name)
