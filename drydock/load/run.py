"""One load run on the kind cluster: locust's master and workers as Jobs, followed to their end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drydock.cluster import Cluster
from drydock.kind_platform import KindPlatform
from drydock.progress import Step

NAMESPACE = "load"


@dataclass(frozen=True)
class Tick:
    """What the master says each second: the last second's rate, and the counts since the start.

    `time` in Unix seconds, `p95_ms` of the last ten seconds, `pods` the requests that each pod answered.
    """

    time: float
    users: int
    sent: int
    failed: int
    rate: float
    p95_ms: float
    outcomes: Mapping[str, int]
    pods: Mapping[str, int]


@dataclass(frozen=True)
class LoadRun:
    """A run of `scenario` with `settings` (its knobs) by `workers` workers."""

    platform: KindPlatform
    scenario: str
    settings: Mapping[str, str]
    workers: int = 1

    @property
    def cluster(self) -> Cluster:
        """The cluster that it runs on."""
        return self.platform.cluster

    def start(self, progress: Step) -> None:
        """Builds the image, starts master and workers, and returns when the load begins.

        Raises:
            CannotRunError: the scenario or a knob is unknown, another run goes on, or a pod or worker does not come.
        """
        raise NotImplementedError

    def follow(self, on_tick: Callable[[Tick], None]) -> None:
        """Calls `on_tick` each second until the run's end.

        Raises:
            CannotRunError: the master ended before the run did.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Ends it gracefully: the requests under way are answered first, and all that was sent is accounted for."""
        raise NotImplementedError

    def collect(self, folder: Path) -> None:
        """Fetches requests.csv.gz, locust's HTML report and its CSVs, and removes the Jobs."""
        raise NotImplementedError
