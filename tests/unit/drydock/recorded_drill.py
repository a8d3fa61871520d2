"""A run of the scaling drill as it was recorded on kind, trimmed to what the verdict reads; and changes of it."""

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from drydock.analysis.audit import AuditResult
from drydock.analysis.scaling.scaling_analysis import ScalingAnalysis
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence, Triggers
from drydock.core.project import Project
from drydock.requests import records
from drydock.requests.records import Record
from drydock.requests.windows import in_flight_above
from drydock.timeline.history import History
from drydock.timeline.observation import Observation

FOLDER = Path(__file__).parent / "drill_data"
PROJECT = Project.find(Path(__file__).parent)
OBJECTIVES = PROJECT.configuration.drills.scale
NO_VIOLATION = dict.fromkeys(PROJECT.configuration.audit.violations, 0)
CONFIGURATION: dict[str, Any] = json.loads((FOLDER / "configuration.json").read_text())


@cache
def evidence() -> ScalingEvidence:
    """What was recorded."""
    sent = records.read(FOLDER / records.FILE)
    loaded = in_flight_above(sent, int(OBJECTIVES.load["after_users"]))
    assert loaded is not None
    triggers = Triggers({"s1-prometheus": "rate"}, 15)
    history = History(tuple(Observation.parse(line) for line in _timeline()["observations"]))
    return ScalingEvidence(
        PROJECT.configuration.workload, triggers, history, sent, OBJECTIVES.route, loaded[0] - 60, *loaded
    )


def judged(changed: ScalingEvidence | None = None, violations: dict[str, int] | None = None) -> ScalingAnalysis:
    """The analysis of it, or on what a test made of it."""
    audit = AuditResult(violations or NO_VIOLATION, {"orders_sent": 100, "orders_acknowledged": 100})
    return ScalingAnalysis("scale", changed or evidence(), OBJECTIVES, audit)


def with_records(change: Callable[[Record], Record]) -> ScalingEvidence:
    """The same with each request changed; a test changes the one that it is about."""
    return replace(evidence(), records=tuple(map(change, evidence().records)))


def with_autoscaler(change: Callable[[float, dict[str, Any]], dict[str, Any]]) -> ScalingEvidence:
    """The same with what the autoscaler said changed: `change(seconds since the step, state)`."""
    found = evidence()

    def changed(seen: Observation) -> Observation:
        if seen.kind != "HorizontalPodAutoscaler":
            return seen
        return replace(seen, state=change(seen.arrived - found.step, seen.state))

    return with_observations([changed(seen) for seen in found.history.observations])


def with_observations(observations: Sequence[Observation]) -> ScalingEvidence:
    """The same with another timeline."""
    return replace(evidence(), history=History(tuple(observations)))


def _timeline() -> Any:
    with gzip.open(FOLDER / "timeline.json.gz", "rt") as file:
        return json.load(file)
