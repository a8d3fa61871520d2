"""The last spans of a pod that ends."""

from collections.abc import Iterable

from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.judge.exchange import sampled
from drydock.requests.records import Record
from drydock.runs.verdict import Check
from drydock.system.wait import wait_until
from drydock.targets.kind import KindTarget

# A pod answers between one and two a second whose traces are kept, and fewer while it drains: those of its last export,
# and some before.
LAST_TRACES = 10
# The collector's batch, and Jaeger's own.
ARRIVAL_SECONDS = 20.0


class LastSpans(Disruption[KindTarget]):
    """A pod is deleted; the traces of the last audited requests that it answered are looked for in Jaeger."""

    title = "last-spans"
    hypothesis = "When a pod ends, the traces of its last answers reach Jaeger, and no request is lost."
    negative_control = "no-flush"
    platforms = frozenset({"kind"})

    def act(self, run: DrillRun[KindTarget]) -> None:
        """One pod is asked to end."""
        run.target.delete_pod(run.chosen_pod)

    def recovered(self, run: DrillRun[KindTarget]) -> bool:
        """It is gone, and as many pods as before are ready."""
        return run.chosen_pod in run.gone and run.all_pods_restored

    def checks(self, run: DrillRun[KindTarget], evidence: Evidence) -> Iterable[Check]:
        """Which of the last traces arrived."""
        traces = [record.key for record in _last(evidence, run.chosen_pod)]
        missing = set(traces)

        def all_there() -> bool:
            missing.difference_update([trace for trace in missing if run.target.has_trace(trace)])
            return not missing

        wait_until(all_there, ARRIVAL_SECONDS, interval=1)
        found = len(traces) - len(missing)
        yield Check("the last traces arrive", found == LAST_TRACES, f"all of the last {LAST_TRACES}", str(found))


def _last(evidence: Evidence, pod: str) -> list[Record]:
    """The last requests with a key that a pod answered and whose traces are kept: the key is the trace."""
    traced = (it for it in evidence.records if it.pod == pod and it.key and not it.lost and sampled(it.key))
    return sorted(traced, key=lambda it: it.ended)[-LAST_TRACES:]
