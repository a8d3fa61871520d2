"""How long requests still reached a pod that was leaving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drydock.analysis.chosen_pods import ChosenPods
from drydock.analysis.pod_terminations import PodTermination
from drydock.requests.records import Record


@dataclass(frozen=True)
class Arrivals:
    """The start of the last request that was sent to a leaving pod on a new and on a kept-alive connection.

    Unix seconds; None if none was observed. A Service moves only new connections away: openshift/origin's disruption
    monitors separate the two for this reason.
    """

    deleted: float
    sigterm: float | None
    new: float | None
    kept: float | None

    def as_json(self) -> Mapping[str, float | None]:
        """Seconds after the deletion and after SIGTERM; negative before it."""
        return {
            f"last_{name}_after_{mark}_s": None if last is None or since is None else round(last - since, 3)
            for mark, since in (("deletion", self.deleted), ("sigterm", self.sigterm))
            for name, last in (("new", self.new), ("kept", self.kept))
        }


def arrivals(
    terminations: Sequence[PodTermination], records: Sequence[Record], chosen: ChosenPods
) -> dict[str, Arrivals]:
    """The arrivals of each deleted pod, by its name."""
    deleted = {it.pod: it for it in terminations if not it.restarted}
    new: dict[str, float] = {}
    kept: dict[str, float] = {}
    for record in records:
        if (pod := chosen.of(record)) in deleted:
            last = kept if record.position else new
            last[pod] = max(record.started, last.get(pod, record.started))
    return {
        pod: Arrivals(it.began, it.marks.get("sigterm"), new.get(pod), kept.get(pod)) for pod, it in deleted.items()
    }
