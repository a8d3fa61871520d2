"""The pause before a lost request of the lane idle is known from the records of its connection."""

from drydock.analysis.idle_pauses import IdlePauses
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.unit.drydock.disrupted import ACTED, request


def sent(time: float, position: int, outcome: Outcome = Outcome.OK, connection: int = 7) -> Record:
    return request(time, outcome, 0.01, lane="idle", connection=connection, position=position)


def test_the_pause_is_from_the_end_of_the_request_before_on_the_same_connection() -> None:
    records = [
        sent(ACTED, 0),
        sent(ACTED + 5.01, 1),
        sent(ACTED + 10.019, 2, Outcome.RESET),
        sent(ACTED, 0, connection=8),
    ]

    pauses = IdlePauses.among(records)

    assert (pauses.sent, [round(it, 3) for it in pauses.lost]) == (2, [4.999])
    assert pauses.sentence.startswith("1 of 2 requests of the lane idle were lost after a pause of 4.999 s. ")


def test_several_pauses_are_a_range() -> None:
    first = [sent(ACTED, 0), sent(ACTED + 5.01, 1, Outcome.CLOSED_EARLY)]
    second = [sent(ACTED, 0, connection=8), sent(ACTED + 5.011, 1, Outcome.RESET, connection=8)]

    assert (
        "2 of 2 requests of the lane idle were lost after a pause of 5.000 to 5.001 s."
        in IdlePauses.among([*first, *second]).sentence
    )


def test_other_outcomes_and_other_lanes_did_not_cross_a_fin() -> None:
    answered = [sent(ACTED, 0), sent(ACTED + 5, 1, Outcome.TIMED_OUT), sent(ACTED + 20, 2, Outcome.SERVER_ERROR)]
    kept = [request(ACTED, lane="kept", connection=9), request(ACTED + 1, Outcome.RESET, lane="kept", connection=9)]

    assert IdlePauses.among([*answered, *kept]) == IdlePauses(2, [])
