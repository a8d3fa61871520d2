"""Annotations on Grafana's dashboards for the phases of a drill."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from drydock.core.console import message
from drydock.core.errors import FailedError
from drydock.telemetry.grafana import Grafana

# The tag that the dashboards' annotation source `Drills` selects (drydock/dashboards/conventions.py).
TAG = "drill"


@dataclass
class Annotations:
    """Annotations of the drill `name`. If Grafana rejects one, the drill warns once and continues.

    Without `grafana`, it sends none.
    """

    grafana: Grafana | None
    name: str
    _refused: bool = field(default=False, init=False)

    def mark(self, text: str, began: float | None = None) -> None:
        """Annotates this moment, or the time from `began` (Unix seconds) until now."""
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
    """Annotations on the Grafana at the address `dashboards`; None sends none."""
    if dashboards is None:
        yield Annotations(None, name)
        return
    with Grafana(dashboards) as grafana:
        yield Annotations(grafana, name)
