"""The last spans of a pod that terminates."""

from collections.abc import Iterable

from drydock.analysis.evidence import Evidence
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.judge.exchange import sampled
from drydock.requests.records import Record
from drydock.runs.verdict import Check
from drydock.system.wait import wait_until
from drydock.targets.kind import KindTarget

# A pod answers one to two sampled requests a second, and fewer while it drains: these are the requests of its last
# export, and some before.
LAST_TRACES = 10
# The collector and Jaeger each send in batches.
ARRIVAL_SECONDS = 20.0


class LastSpans(Disruption[KindTarget]):
    """Delete a pod and look up the traces of its last audited requests in Jaeger."""

    title = "last-spans"
    hypothesis = "When a pod terminates, the traces of its last requests reach Jaeger, and no request is lost."
    negative_control = "no-flush"
    control_check = "the last traces arrive"
    platforms = frozenset({"kind"})

    def act(self, run: DrillRun[KindTarget]) -> None:
        run.target.delete_pod(run.chosen_pod)

    def recovered(self, run: DrillRun[KindTarget]) -> bool:
        return run.chosen_pod in run.gone and run.all_pods_restored

    def checks(self, run: DrillRun[KindTarget], evidence: Evidence) -> Iterable[Check]:
        traces = [record.key for record in _last(evidence, run.chosen_pod)]
        missing = set(traces)

        def all_there() -> bool:
            missing.difference_update([trace for trace in missing if run.target.has_trace(trace)])
            return not missing

        wait_until(all_there, ARRIVAL_SECONDS, interval=1)
        found = len(traces) - len(missing)
        yield Check("the last traces arrive", found == LAST_TRACES, f"all of the last {LAST_TRACES}", str(found))


def _last(evidence: Evidence, pod: str) -> list[Record]:
    """The last sampled requests with a key that a pod answered. The key is also the trace identifier."""
    traced = (it for it in evidence.records if it.pod == pod and it.key and not it.lost and sampled(it.key))
    return sorted(traced, key=lambda it: it.ended)[-LAST_TRACES:]
