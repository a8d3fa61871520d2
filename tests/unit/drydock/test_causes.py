"""The cause of each lost request, decided from its record, its pod, and what happened to that pod."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from drydock.analysis.advice import ADVICE
from drydock.analysis.causes import SENTENCES, Cause, Loss, losses
from drydock.analysis.chosen_pods import ChosenPods
from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import terminations
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.timeline.observation import Observation
from drydock.timeline.routes import Route
from tests.unit.drydock import disrupted
from tests.unit.drydock.disrupted import ACTED, BEGAN, COMING, LEAVING, STAYING, request

PORT = 40_000


def cause_of(lost: Record, seen: Sequence[Observation], *routes: Route, others: Sequence[Record] = ()) -> Cause:
    """The cause that the analysis gives to one lost request."""
    found = replace(disrupted.evidence([lost, *others], seen, count=0), routes=routes)
    return next(it.cause for it in diagnosed(found) if it.record == lost)


def diagnosed(evidence: Evidence) -> list[Loss]:
    """Every loss of a run with its cause."""
    return losses(evidence, terminations(evidence), ChosenPods(evidence.records, evidence.routes))


def sent_to(pod: str, time: float, *, refused: bool = False) -> Route:
    """The route of a new connection."""
    return Route(time, PORT, pod, refused)


# Deleted at 0.1 s, SIGTERM after preStop at 5.1 s, listener closed at 10.1 s, exit at 10.4 s after the action.
DELETION = disrupted.deletion()
# Killed at 0.5 s, started again at 1 s.
RESTART = disrupted.restart()
NO_POD = [*DELETION[:3], disrupted.endpoints(ACTED + 1)]
WITHOUT_DATABASE = [*DELETION, disrupted.line(ACTED + 1, STAYING, "unready", failed={"database": "no answer"})]
LYING = [*DELETION, disrupted.line(ACTED + 4, COMING, "startup")]
NO_CONNECTION = "no free connection"

CAUSES = [
    # The listener closes, and connections still arrive.
    (Cause.REFUSED_AFTER_REMOVAL, DELETION, request(ACTED + 10.6, Outcome.REFUSED), LEAVING),
    (Cause.REFUSED_AFTER_REMOVAL, DELETION, request(ACTED + 12, Outcome.REFUSED), LEAVING),
    (Cause.CLOSED_LISTENER, DELETION, request(ACTED + 10.12, Outcome.RESET), LEAVING),
    (Cause.CLOSED_LISTENER, DELETION, request(ACTED + 10.12, Outcome.CLOSED_EARLY), LEAVING),
    (Cause.NOT_ACCEPTED, DELETION, request(ACTED + 10.26, Outcome.RESET, took=0.16), LEAVING),
    (Cause.NOT_ACCEPTED, DELETION, request(ACTED + 10.26, Outcome.TIMED_OUT, took=10), LEAVING),
    (
        Cause.RESET_ON_KEPT_ALIVE,
        DELETION,
        request(ACTED + 10.2, Outcome.CLOSED_EARLY, lane="kept", position=7),
        LEAVING,
    ),
    # The process gives up what is in flight.
    (Cause.CUT_IN_FLIGHT, DELETION, request(ACTED + 3.4, Outcome.RESET, took=7.0, lane="long"), LEAVING),
    (Cause.CUT_IN_FLIGHT, DELETION, request(ACTED + 10, Outcome.TRUNCATED, took=0.35), LEAVING),
    (Cause.CUT_IN_FLIGHT, DELETION, request(ACTED + 3, Outcome.SERVER_ERROR, took=8.0, pod=LEAVING), LEAVING),
    # The process is killed: before, while and after it is dead.
    (Cause.CUT_IN_FLIGHT, RESTART, request(ACTED + 0.45, Outcome.RESET, took=0.1, lane="kept", position=3), LEAVING),
    (Cause.PROCESS_DEAD, RESTART, request(ACTED + 0.8, Outcome.REFUSED), LEAVING),
    (Cause.PROCESS_DEAD, RESTART, request(ACTED + 0.8, Outcome.RESET, lane="kept", position=3), LEAVING),
    # A new pod, and none.
    (Cause.NOT_LISTENING_YET, DELETION, request(ACTED + 7, Outcome.REFUSED), COMING),
    (Cause.NO_ENDPOINT, NO_POD, request(ACTED + 2, Outcome.REFUSED), ""),
    (Cause.NO_ENDPOINT, NO_POD, request(ACTED + 2, Outcome.TIMED_OUT, took=10), ""),
    # Answers.
    (Cause.NEVER_READY, LYING, request(ACTED + 9, Outcome.SERVER_ERROR, pod=COMING), COMING),
    (Cause.NO_DATABASE, WITHOUT_DATABASE, request(ACTED + 2, Outcome.SERVER_ERROR), STAYING),
    (Cause.SHED, DELETION, request(ACTED + 2, Outcome.SERVER_ERROR, reason=f"503: {NO_CONNECTION}"), STAYING),
    (Cause.SHED, DELETION, request(ACTED + 1, Outcome.SERVER_ERROR, pod=LEAVING, reason=NO_CONNECTION), LEAVING),
    (Cause.UNAVAILABLE, DELETION, request(ACTED + 2, Outcome.SERVER_ERROR, reason="come again"), STAYING),
    (Cause.SERVER_ERROR, DELETION, request(ACTED + 2, Outcome.SERVER_ERROR, status=500), STAYING),
    (Cause.CLIENT_ERROR, DELETION, request(ACTED + 2, Outcome.CLIENT_ERROR), STAYING),
    (Cause.NOT_ANSWERED, DELETION, request(ACTED + 2, Outcome.TIMED_OUT, took=10), STAYING),
    # Nothing happened to the pod at that time.
    (Cause.UNKNOWN, DELETION, request(ACTED + 10.6, Outcome.REFUSED), STAYING),
    (Cause.UNKNOWN, DELETION, request(ACTED - 5, Outcome.RESET), LEAVING),
    (Cause.UNKNOWN, DELETION, request(ACTED + 1, Outcome.REFUSED), LEAVING),
]


@pytest.mark.parametrize(
    ("cause", "seen", "lost", "pod"), CAUSES, ids=[f"{number} {it[0]}" for number, it in enumerate(CAUSES)]
)
def test_each_loss_has_its_likely_cause(cause: Cause, seen: Sequence[Observation], lost: Record, pod: str) -> None:
    lost = replace(lost, port=PORT, connection=99_999)
    before = replace(request(lost.started - 2, pod=pod), connection=99_999, lane="kept", port=PORT)
    routes = [sent_to(pod, lost.started)] if pod else []
    answers = [before] if lost.position else []

    assert cause_of(lost, seen, *routes, others=answers) == cause


def test_a_request_on_an_idle_connection_met_the_keep_alive_timeout() -> None:
    before = request(ACTED + 1, pod=STAYING, lane="kept", connection=70_000)
    lost = request(ACTED + 6, Outcome.CLOSED_EARLY, lane="kept", connection=70_000, position=1)
    at_once = replace(lost, intended=ACTED + 1.5, started=ACTED + 1.5)

    assert cause_of(lost, DELETION, others=[before]) is Cause.KEEP_ALIVE_TIMEOUT
    assert cause_of(at_once, DELETION, others=[before]) is Cause.UNKNOWN


def test_every_cause_is_shown_by_a_test_explained_and_has_its_advice() -> None:
    shown = {cause for cause, *_ in CAUSES} | {Cause.KEEP_ALIVE_TIMEOUT}

    assert shown == set(Cause) == SENTENCES.keys() == ADVICE.keys()


@pytest.mark.parametrize("cause", [Cause.REFUSED_AFTER_REMOVAL, Cause.CLOSED_LISTENER, Cause.NOT_ACCEPTED])
def test_the_first_advice_for_a_closed_listener_needs_no_change_of_the_application(cause: Cause) -> None:
    assert ADVICE[cause].change.startswith("Add `lifecycle.preStop.sleep`")


class TestWithoutTheRoute:
    """The pod was not observed: the pods that were ending are the candidates."""

    LATE = request(ACTED + 10.6, Outcome.REFUSED)

    def test_one_ending_pod_explains_a_refusal(self) -> None:
        answered = request(ACTED + 8, pod=COMING, connection=80_000)

        assert cause_of(self.LATE, DELETION, others=[answered]) is Cause.REFUSED_AFTER_REMOVAL

    def test_two_explanations_are_none(self) -> None:
        assert cause_of(self.LATE, DELETION) is Cause.UNKNOWN, "the new pod may not have listened yet"

    def test_no_ending_pod_leaves_the_cause_unknown(self) -> None:
        quiet = DELETION[:3]

        assert cause_of(request(ACTED + 1, Outcome.RESET), quiet) is Cause.UNKNOWN
        assert cause_of(request(ACTED + 1, Outcome.REFUSED), quiet) is Cause.UNKNOWN
        assert cause_of(request(ACTED + 1, Outcome.TRUNCATED, took=3), quiet) is Cause.UNKNOWN


class TestWithoutLifecycleLines:
    """A service that is not the sample: the end of preStop and the answers show when the listener closed."""

    SILENT = tuple(
        replace(it, state={**it.state, "prestop": 5.0}) if it.kind == "Pod" else it
        for it in DELETION
        if it.kind != "Log"
    )

    def test_the_end_of_prestop_is_when_the_listener_closes(self) -> None:
        lost = request(ACTED + 5.3, Outcome.REFUSED, port=PORT, connection=99_999)

        assert cause_of(lost, self.SILENT, sent_to(LEAVING, ACTED + 5.3)) is Cause.REFUSED_AFTER_REMOVAL

    def test_a_new_connection_that_was_answered_shows_that_the_listener_was_open(self) -> None:
        answered = request(ACTED + 8, pod=LEAVING, connection=80_000)
        lost = request(ACTED + 6, Outcome.RESET, took=2.5, port=PORT, connection=99_999)

        assert cause_of(lost, self.SILENT, sent_to(LEAVING, ACTED + 6), others=[answered]) is Cause.CUT_IN_FLIGHT
        assert cause_of(lost, self.SILENT, sent_to(LEAVING, ACTED + 6)) is Cause.NOT_ACCEPTED

    def test_a_process_that_accepts_until_it_is_killed_cuts_what_is_in_flight(self) -> None:
        killed = [
            replace(it, state={**it.state, "prestop": 5.0}) if it.kind == "Pod" else it
            for it in disrupted.deletion(exit_code=137)
            if it.kind != "Log"
        ]
        answered = [request(ACTED + 9.9 + n / 10, pod=LEAVING, connection=80_000 + n) for n in range(6)]
        lost = request(ACTED + 9, Outcome.RESET, took=1.6, port=PORT, connection=99_999)

        assert cause_of(lost, killed, sent_to(LEAVING, ACTED + 9), others=answered) is Cause.CUT_IN_FLIGHT


def test_a_restart_before_the_action_explains_nothing_after_it() -> None:
    early = [replace(it, arrived=it.arrived - 5) for it in disrupted.restart(ACTED - 5)]

    assert cause_of(request(ACTED + 1, Outcome.RESET, port=PORT), early, sent_to(LEAVING, ACTED + 1)) is Cause.UNKNOWN


def test_a_restart_explains_nothing_after_the_pod_has_answered_again() -> None:
    again = request(ACTED + 7, pod=LEAVING, connection=80_000)
    lost = request(ACTED + 9, Outcome.RESET, port=PORT, connection=99_999)

    assert cause_of(lost, RESTART, sent_to(LEAVING, ACTED + 9), others=[again]) is Cause.UNKNOWN
    assert cause_of(lost, RESTART, sent_to(LEAVING, ACTED + 9)) is Cause.PROCESS_DEAD


def test_the_local_router_s_refusal_is_a_refusal_although_the_client_saw_a_reset() -> None:
    lost = request(ACTED + 10.2, Outcome.RESET, port=PORT, connection=99_999)

    refused = cause_of(lost, DELETION, sent_to(LEAVING, ACTED + 10.2, refused=True))

    assert refused is Cause.REFUSED_AFTER_REMOVAL
    assert cause_of(lost, DELETION, sent_to(LEAVING, ACTED + 10.2)) is Cause.CLOSED_LISTENER


def test_a_port_that_is_used_again_is_another_connection() -> None:
    lost = request(ACTED + 10.6, Outcome.REFUSED, port=PORT, connection=99_999)
    earlier, later = sent_to(STAYING, ACTED - 3), sent_to(LEAVING, ACTED + 10.6)

    assert cause_of(lost, DELETION, earlier, later) is Cause.REFUSED_AFTER_REMOVAL
    assert ChosenPods([lost], [earlier]).of(lost) == ""
    assert BEGAN < ACTED - 3
