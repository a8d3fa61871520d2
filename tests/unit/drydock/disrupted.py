"""A shutdown drill as it could have been recorded: one pod of two is deleted, and replaced. Changed by each test."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from drydock.analysis.audit import AuditResult
from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.drill_objectives import DrillObjectives
from drydock.analysis.evidence import Evidence
from drydock.core.project import Workload
from drydock.judge_client.start_delay import StartDelay
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.runs.verdict import Check
from drydock.timeline.history import History
from drydock.timeline.observation import Change, Observation

WORKLOAD = Workload(namespace="shop", deployment="shop", container="shop", service="shop", no_connection="no free")
LEAVING, STAYING, COMING = "shop-1-leaving", "shop-1-staying", "shop-1-coming"
BEGAN, ACTED, RECOVERED, ENDED = 990.0, 1000.0, 1012.0, 1040.0
REQUESTS = 10_000
GOOD = AuditResult({"acknowledged_but_missing": 0}, {"orders_acknowledged": 5, "orders_in_database": 5})
ON_TIME = StartDelay(late=3, sent=REQUESTS, p99_ms=4.0)
DESCRIBED = {
    "commit": "abc1234",
    "against": None,
    "images": ["drydock/shop@sha256:1"],
    "autoscalers": {"shop": "2 wanted"},
    "shutdown": {"prestop": 5.0, "drain": 5.0, "graceful": 17.0, "close": 6.0, "total": 33.0, "grace": 45.0},
}


def at(time: float) -> str:
    """A time as the API says it."""
    return datetime.fromtimestamp(time, UTC).isoformat()


def pod(time: float, name: str, change: Change = "changed", **state: Any) -> Observation:
    """What was seen of a pod."""
    known: dict[str, Any] = {
        "owner": "shop-1",
        "created": at(900),
        "phase": "Running",
        "ready": at(901),
        "deletion": None,
        "grace": None,
    }
    known |= {"ended": None, "last_ended": None, "restarts": 0, **state}
    return Observation(time, "Pod", name, f"uid-{name}", str(time), change, known)


def endpoints(time: float, *names: str) -> Observation:
    """Where the Service sends new connections from then on."""
    state = {"service": "shop", "endpoints": {name: {"ready": True} for name in names}}
    return Observation(time, "EndpointSlice", "shop-x", "uid-slice", str(time), "changed", state)


def line(time: float, name: str, event: str, **more: Any) -> Observation:
    """A lifecycle line of a pod."""
    state = {"event": event, "time": at(time), **more}
    return Observation(time + 0.01, "Log", name, f"{name}/{event}", at(time), "added", state)


def deletion(exit_code: int = 0, grace: float = 45, seconds: float = 10.3) -> list[Observation]:
    """A pod leaves in good order, and another one comes."""
    end = {"exit_code": exit_code, "reason": "Completed", "finished": at(ACTED + 0.1 + seconds)}
    return [
        pod(BEGAN - 1, LEAVING, "added"),
        pod(BEGAN - 1, STAYING, "added"),
        endpoints(BEGAN - 1, LEAVING, STAYING),
        pod(ACTED + 0.1, LEAVING, deletion=at(ACTED + 45), grace=grace),
        endpoints(ACTED + 0.15, STAYING),
        pod(ACTED + 0.2, COMING, "added", created=at(ACTED + 0.2), phase="Pending", ready=None),
        line(ACTED + 5.1, LEAVING, "draining"),
        pod(ACTED + 6.5, COMING, created=at(ACTED + 0.2), ready=at(ACTED + 6)),
        endpoints(ACTED + 6.6, STAYING, COMING),
        line(ACTED + 10.1, LEAVING, "drained"),
        line(ACTED + 10.3, LEAVING, "pool_closed"),
        line(ACTED + 10.35, LEAVING, "telemetry_flushed", lost=0),
        line(ACTED + 10.36, LEAVING, "stopped"),
        pod(ACTED + 11, LEAVING, deletion=at(ACTED + 45), grace=grace, ended=end, ready=None),
        pod(ACTED + 11.5, LEAVING, "removed", deletion=at(ACTED + 45), grace=grace, ended=end, ready=None),
    ]


def restart(time: float = ACTED + 0.5, exit_code: int = 137) -> list[Observation]:
    """The container of a pod dies and is started again."""
    end = {"exit_code": exit_code, "reason": "Error", "finished": at(time)}
    return [
        pod(BEGAN - 1, LEAVING, "added"),
        pod(BEGAN - 1, STAYING, "added"),
        endpoints(BEGAN - 1, LEAVING, STAYING),
        pod(time + 0.4, LEAVING, ready=None, ended=end),
        endpoints(time + 0.5, STAYING),
        pod(time + 1.0, LEAVING, ready=None, last_ended=end, restarts=1),
        pod(time + 6.0, LEAVING, last_ended=end, restarts=1),
        endpoints(time + 6.1, LEAVING, STAYING),
    ]


def request(time: float, outcome: Outcome = Outcome.OK, took: float = 0.004, **more: Any) -> Record:
    """A request that was due at a time."""
    status = {Outcome.OK: 200, Outcome.SERVER_ERROR: 503, Outcome.CLIENT_ERROR: 404}.get(outcome, 0)
    known = Record(
        time, time, took, "GET", "/products", status, outcome, STAYING if status else "", "judge", "", "fresh"
    )
    return replace(known, **more)


@cache
def answered(count: int = REQUESTS) -> tuple[Record, ...]:
    """Requests all over the run that were answered well; the leaving pod answers its half until preStop is over.

    The new pod answers that half from 7 s after the action on.
    """
    step = (ENDED - BEGAN) / max(count, 1)
    times = [BEGAN + number * step for number in range(count)]
    lanes = ("fresh", "kept")
    return tuple(
        replace(
            request(time, took=0.003 + 0.001 * (number % 7)),
            connection=number + 1,
            pod=_answering(time) if number % 2 else STAYING,
            lane=lanes[number // 2 % 2],
        )
        for number, time in enumerate(times)
    )


def _answering(time: float) -> str:
    if time < ACTED + 5:
        return LEAVING
    return COMING if time > ACTED + 7 else STAYING


def evidence(
    lost: Iterable[Record] = (),
    seen: Sequence[Observation] | None = None,
    *,
    recovered: float | None = RECOVERED,
    count: int = REQUESTS,
    dropped: int = 0,
) -> Evidence:
    """The run with these lost requests beside those that were answered."""
    observations = sorted(deletion() if seen is None else seen, key=lambda it: it.arrived)
    sent = sorted([*answered(count), *lost], key=lambda record: record.intended)
    return Evidence(WORKLOAD, History(observations, dropped=dropped), sent, BEGAN, ACTED, ACTED + 0.3, recovered, ENDED)


def analysis(
    found: Evidence | None = None,
    objectives: DrillObjectives | None = None,
    audit: AuditResult = GOOD,
    start_delay: StartDelay = ON_TIME,
    extra: Sequence[Check] = (),
) -> Analysis:
    """The account of such a run."""
    return Analysis(
        "delete-pod",
        "delete-pod",
        "Nothing is lost.",
        found or evidence(),
        objectives or DrillObjectives(),
        audit,
        start_delay,
        REQUESTS,
        extra,
    )
