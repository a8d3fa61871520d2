"""Which pod a connection was routed to: from the node's connection tracking, by port and time."""

from typing import Any

import pytest

from drydock.timeline import connection_tracking, states
from drydock.timeline.connection_tracking import Translation
from drydock.timeline.routes import NEAR_SECONDS, Route, Routes

# As conntrack 1.4.8 writes it: the request's direction, then the reply's, whose source is the pod.
NEW = (
    "[1764565200.123456]\t    [NEW] tcp      6 120 SYN_SENT src=10.244.0.9 dst=10.96.45.1 sport=50512 dport=80 "
    "[UNREPLIED] src=10.244.1.5 dst=10.244.0.9 sport=8000 dport=50512\n"
)


def test_an_event_names_the_client_s_port_and_the_pod_s_address() -> None:
    assert connection_tracking.parse(NEW) == Translation(1764565200.123456, 50512, "10.244.1.5")


@pytest.mark.parametrize("line", ["", "conntrack v1.4.8 (conntrack-tools): 3 flow events have been shown.\n"])
def test_any_other_line_is_no_connection(line: str) -> None:
    assert connection_tracking.parse(line) is None


def test_the_route_of_a_port_is_the_nearest_in_time() -> None:
    routes = Routes([Route(10.0, 5000, "b"), Route(4.0, 5000, "a"), Route(10.0, 6000, "c")])

    assert [routes.near(5000, opened) for opened in (4.2, 9.9)] == [Route(4.0, 5000, "a"), Route(10.0, 5000, "b")]
    assert routes.near(7000, 10.0) is None


@pytest.mark.parametrize(("apart", "found"), [(NEAR_SECONDS, True), (NEAR_SECONDS + 0.01, False)])
def test_a_route_of_another_time_belongs_to_another_connection(apart: float, found: bool) -> None:
    assert (Routes([Route(10.0, 5000, "a")]).near(5000, 10.0 + apart) is not None) is found


@pytest.mark.parametrize(
    ("hooks", "seconds"),
    [
        ([None], 0),
        ([{"preStop": {"sleep": {"seconds": 5}}}], 5),
        ([{"preStop": {"sleep": {"seconds": 5}}}, {"preStop": {"sleep": {"seconds": 8}}}], 8),
        ([{"preStop": {"exec": {"command": ["sleep", "5"]}}}], None),
    ],
    ids=["no hook", "a sleep", "two containers", "a command"],
)
def test_the_time_until_sigterm_is_known_for_a_sleep_alone(hooks: list[Any], seconds: float | None) -> None:
    containers = [{"name": str(number), "lifecycle": hook} for number, hook in enumerate(hooks)]

    assert states.pod({"metadata": {}, "spec": {"containers": containers}})["prestop"] == seconds
