"""A probe is paired with the failure that it followed, and its result names what failed."""

import pytest

from drydock.analysis.probes import Finding, Probes, pairs
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import ACTED, evidence, request

FAILED = request(ACTED, Outcome.RESET, took=0.25, lane="kept", position=4)


def probe(after: Record, outcome: Outcome = Outcome.OK, took: float = 0.004, shift: float = 0.0) -> Record:
    return request(after.ended + shift, outcome, took, lane="probe")


def written(record: Record) -> Record:
    """The record as it comes out of the file, with its rounded times."""
    return Record.parse(record.row())


@pytest.mark.parametrize(
    ("outcome", "took", "found"),
    [
        (Outcome.OK, 0.004, Finding.RESET),
        (Outcome.OK, 1.0, Finding.RESET),
        (Outcome.OK, 1.000001, Finding.STALLED),
        (Outcome.REFUSED, 0.001, Finding.OUTAGE),
        (Outcome.SERVER_ERROR, 0.001, Finding.OUTAGE),
        (Outcome.TIMED_OUT, 10.0, Finding.OUTAGE),
    ],
)
def test_the_result_of_the_probe_is_the_finding(outcome: Outcome, took: float, found: Finding) -> None:
    probes = Probes.among([FAILED, probe(FAILED, outcome, took)])

    assert (probes.failed, probes.findings) == (1, {found: 1})


@pytest.mark.parametrize("outcome", [Outcome.RESET, Outcome.CLOSED_EARLY, Outcome.TRUNCATED, Outcome.TIMED_OUT])
def test_each_failure_without_a_complete_response_counts(outcome: Outcome) -> None:
    assert Probes.among([request(ACTED, outcome, lane="idle", position=1)]).failed == 1


@pytest.mark.parametrize(
    "record",
    [
        request(ACTED, Outcome.RESET, lane="kept", position=0),
        request(ACTED, Outcome.SERVER_ERROR, lane="kept", position=4),
        request(ACTED, Outcome.OK, lane="kept", position=4),
    ],
    ids=["on a new connection", "a complete response", "a good response"],
)
def test_nothing_else_is_a_failure_on_a_reused_connection(record: Record) -> None:
    assert Probes.among([record]) == Probes(0, Probes.among([]).findings)


@pytest.mark.parametrize("fraction", [0.0, 1e-7, 4.9e-7, 5.1e-7, 9.9e-7])
def test_the_pair_is_found_through_the_rounding_of_the_file(fraction: float) -> None:
    due, ended = 1_764_565_352.123456 + fraction, 1_764_565_352.987654 + 0.6e-6
    failed = request(due, Outcome.RESET, ended - due, lane="kept", position=2)
    others = [request(due, Outcome.RESET, ended - due + shift, lane="kept", position=9) for shift in (-8e-6, 8e-6)]

    records = [written(it) for it in (*others, failed, request(ended, lane="probe"))]

    assert [(lost.position, it.lane) for lost, it in pairs(records)] == [(2, "probe")]


@pytest.mark.parametrize("shift", [-1e-5, 1e-5])
def test_a_probe_at_another_time_is_not_that_of_the_failure(shift: float) -> None:
    assert not list(pairs([FAILED, probe(FAILED, shift=shift)]))


def test_the_verdict_counts_the_findings_and_the_sentence_names_what_was_not_probed() -> None:
    later = request(ACTED + 1, Outcome.TIMED_OUT, took=10, lane="kept", position=1)
    unprobed = request(ACTED + 2, Outcome.TIMED_OUT, took=10, lane="kept", position=1)
    lost = [FAILED, probe(FAILED), later, probe(later, Outcome.REFUSED), unprobed]
    analysis = disrupted.analysis(evidence(lost))

    figures = analysis.verdict().figures
    assert (figures["probe_reset"], figures["probe_outage"]) == (1, 1)
    assert "probe_stalled" not in figures
    assert figures["lost"] == 4, "the lost probe is a lost request"
    assert analysis.as_json()["probes"] == {"reset": 1, "outage": 1}
    assert analysis.probes.sentence == (
        "A probe on a new connection followed 2 of the 3 failures on reused connections: "
        "1 reset (only that connection), 1 outage (the probe was lost too)."
    )
