"""The timeline has every lifecycle line of the service's pods once, also after a broken log stream."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lightkube import AsyncClient, KubeConfig

from drydock.cluster.kind import CONTEXT
from drydock.core.project import Lifecycle, Workload
from drydock.timeline.lifecycle import event
from drydock.timeline.listening import Listener
from drydock.timeline.observation import Observation
from drydock.timeline.recorder import Timeline
from tests.integration.drydock.watch_double import WatchDouble, kubeconfig, serving
from tests.polling import poll_until

LIFECYCLE = Lifecycle(logger="app.lifecycle")
WORKLOAD = Workload(namespace="shop", deployment="shop", container="shop", service="shop", lifecycle=LIFECYCLE)


def line(message: str, logger: str = "app.lifecycle", second: int = 0, **more: object) -> str:
    fields = {"level": "INFO", "logger": logger, "message": message, "service.name": "shop", **more}
    return json.dumps({**fields, "timestamp": f"2026-01-01T00:00:{second:02}+00:00"})


@pytest.fixture
def server() -> Iterator[WatchDouble]:
    with serving() as double:
        double.put("shop-1-a", owner="shop-1")
        double.put("postgres-0", owner="postgres")
        yield double


@pytest.fixture
def timeline(server: WatchDouble, tmp_path: Path) -> Iterator[Timeline]:
    with Timeline(kubeconfig(tmp_path, server.url), "shop", workload=WORKLOAD) as recording:
        poll_until(lambda: server.followed, "the log to be followed")
        yield recording


def wait_for(timeline: Timeline, *events: str) -> None:
    def recorded() -> list[str]:
        return [seen.state["event"] for seen in timeline.history.of("Log")]

    poll_until(lambda: recorded() == list(events), f"{events} after {recorded()}")


def test_lifecycle_lines_are_recorded_and_access_lines_are_not(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-a", line("GET /products", logger="app.access"))
    server.log("shop-1-a", "app.lifecycle in a line that is not JSON")
    server.log("shop-1-a", line("draining", second=1, in_flight=3))

    wait_for(timeline, "draining")
    [seen] = timeline.history.of("Log")
    assert (seen.name, seen.state) == (
        "shop-1-a",
        {"event": "draining", "time": "2026-01-01T00:00:01+00:00", "in_flight": 3},
    )


def test_a_broken_stream_is_opened_again_and_no_line_is_recorded_twice(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-a", line("draining", second=1))
    wait_for(timeline, "draining")

    server.cut()
    server.log("shop-1-a", line("drained", second=2))

    wait_for(timeline, "draining", "drained")
    assert server.followed > 1


def test_a_new_pod_is_followed_from_its_first_line(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-b", line("startup"))
    server.put("shop-1-b", owner="shop-1")

    wait_for(timeline, "startup")


def test_pods_of_another_workload_are_not_followed(timeline: Timeline, server: WatchDouble) -> None:
    server.log("postgres-0", line("startup"))
    server.log("shop-1-a", line("ready"))

    wait_for(timeline, "ready")


def test_a_ready_pod_is_not_followed_and_its_lines_are_read_at_the_end(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-a", line("ready", second=1))
    wait_for(timeline, "ready")

    def not_followed() -> bool:
        server.log("shop-1-a", line("GET /products", logger="app.access"))  # the server notices when it writes
        return not server.following

    server.put("shop-1-a", owner="shop-1", ready=True)
    poll_until(not_followed, "the log not to be followed")
    server.log("shop-1-a", line("unready", second=2))

    assert [seen.state["event"] for seen in timeline.complete().of("Log")] == ["ready", "unready"]


def test_a_terminating_pod_is_followed_although_it_is_ready(timeline: Timeline, server: WatchDouble) -> None:
    server.put("shop-1-b", owner="shop-1", ready=True)
    server.log("shop-1-b", line("ready", second=1))
    server.put("shop-1-b", owner="shop-1", ready=True, ending=True)
    server.log("shop-1-b", line("draining", second=2))

    wait_for(timeline, "ready", "draining")


async def test_a_killed_container_is_followed_until_its_restart(server: WatchDouble, tmp_path: Path) -> None:
    configuration = KubeConfig.from_file(kubeconfig(tmp_path, server.url)).get(CONTEXT)
    events: list[str] = []
    client = AsyncClient(config=configuration, namespace="shop", trust_env=False)
    listener = Listener(client, WORKLOAD, time.time(), lambda _, state: events.append(state["event"]))

    listener.see(serving_pod(restarts=0))
    listener.see(killing_event("shop-1-a"))
    listener.see(serving_pod(restarts=0))
    server.log("shop-1-a", line("draining", second=1))
    await eventually(lambda: events == ["draining"], "its last line to be read although it is ready")

    listener.see(serving_pod(restarts=1))

    def not_followed() -> bool:
        server.log("shop-1-a", line("GET /products", logger="app.access"))
        return not server.following

    await eventually(not_followed, "the log not to be followed")
    await listener.end()
    await client.close()


def serving_pod(restarts: int) -> Observation:
    state = {"owner": "shop-1", "phase": "Running", "ready": "2026-01-01T00:00:00Z", "deletion": None}
    return Observation(time.time(), "Pod", "shop-1-a", "uid", "1", "changed", {**state, "restarts": restarts})


def killing_event(pod: str) -> Observation:
    return Observation(
        time.time(), "Event", "killing", "event-uid", "1", "added", {"reason": "Killing", "about": f"Pod/{pod}"}
    )


async def eventually(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(poll_until, condition, what)


def test_an_event_keeps_the_fields_of_its_line() -> None:
    assert event(line("telemetry_flushed", lost=2, complete=False), LIFECYCLE) == {
        "event": "telemetry_flushed",
        "time": "2026-01-01T00:00:00+00:00",
        "lost": 2,
        "complete": False,
    }
    assert event('["app.lifecycle"]', LIFECYCLE) is None


def test_an_event_with_another_name_gets_drydocks_name() -> None:
    renamed = Lifecycle(logger="basket", events={"draining": "shutting down"})

    state = event(line("shutting down", logger="basket"), renamed)

    assert state is not None
    assert state["event"] == "draining"


def test_a_service_without_lifecycle_lines_has_no_events() -> None:
    assert event(line("draining"), None) is None
