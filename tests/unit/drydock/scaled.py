"""A scaling drill in round numbers: two pods, a step of the load at 100 s, its end at 200 s. Changed by each test."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from drydock.analysis.audit import AuditResult
from drydock.analysis.scaling import marks
from drydock.analysis.scaling.marks import Mark
from drydock.analysis.scaling.scaling_analysis import ScalingAnalysis
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence, Triggers
from drydock.core.project import ScaleDrill
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Check
from drydock.timeline.history import History
from drydock.timeline.observation import Change, Observation
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import WORKLOAD, endpoints
from tests.unit.drydock.recorded_drill import OBJECTIVES as SHIPPED

STEP, OFF = 100.0, 200.0
ONE, TWO, THREE, FOUR = (f"shop-1-{name}" for name in ("one", "two", "three", "four"))
ROUTE = "/products"
CPU_TARGET, RATE_TARGET = 60.0, 15.0
P95_SECONDS = 0.5
OBJECTIVES: ScaleDrill = SHIPPED.model_copy(
    update={
        "first_ready_target_seconds": 20.0,
        "first_ready_seconds": 35.0,
        "p95_seconds": P95_SECONDS,
        "pods": 4,
        "share_band": 0.25,
        "back_seconds": 60.0,
    }
)


def hpa(time: float, desired: int = 2, *, cpu: float | None = None, rate: float | None = None) -> Observation:
    """The status of the autoscaler."""
    metrics = {"cpu": {"value": cpu, "target": CPU_TARGET}, "s1-prometheus": {"value": rate, "target": RATE_TARGET}}
    state = {"target": "shop", "desired": desired, "minimum": 2, "metrics": metrics}
    return Observation(time, "HorizontalPodAutoscaler", "shop", "uid-hpa", str(time), "changed", state)


def pod(time: float, name: str, change: Change = "changed", **state: Any) -> Observation:
    """A pod; `scheduled`, `started` and `ready` are Unix seconds."""
    known = {key: None if value is None else disrupted.at(value) for key, value in state.items()}
    return disrupted.pod(time, name, change, **{"scheduled": None, "started": None, "ready": None, **known})


BEFORE = (hpa(90), endpoints(90, ONE, TWO), pod(90, ONE, "added", ready=80), pod(90, TWO, "added", ready=80))


def request(ended: float, took: float = 0.25, of: str = ONE, outcome: Outcome = Outcome.OK) -> Record:
    """A request that ended at a time."""
    return replace(disrupted.request(ended - took, outcome, took), pod=of)


def evidence(
    *later: Observation, records: Sequence[Record] = (), before: Sequence[Observation] = BEFORE, **more: Any
) -> ScalingEvidence:
    """The run with these later observations."""
    seen = tuple(sorted((*before, *later), key=lambda it: it.arrived))
    run = ScalingEvidence(
        WORKLOAD, Triggers({"s1-prometheus": "rate"}, RATE_TARGET), History(seen), records, ROUTE, 40.0, STEP, OFF
    )
    return replace(run, **more)


def mark(name: str, found: ScalingEvidence) -> Mark:
    """One mark of a run."""
    return next(it for it in marks.read(found, P95_SECONDS) if it.name == name)


def analysis(found: ScalingEvidence, **objectives: Any) -> ScalingAnalysis:
    """The analysis of a run."""
    return ScalingAnalysis("scale", found, OBJECTIVES.model_copy(update=objectives), AuditResult({}, {}))


def check(name: str, found: ScalingEvidence, **objectives: Any) -> Check:
    """One check of a run."""
    return next(it for it in analysis(found, **objectives).verdict().checks if it.name == name)
