"""The lifecycle lines of the service's pods are in the timeline, each once, whatever becomes of the stream."""

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
    said = {"level": "INFO", "logger": logger, "message": message, "service.name": "shop", **more}
    return json.dumps({**said, "timestamp": f"2026-01-01T00:00:{second:02}+00:00"})


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


def heard(timeline: Timeline, *events: str) -> None:
    def said() -> list[str]:
        return [seen.state["event"] for seen in timeline.history.of("Log")]

    poll_until(lambda: said() == list(events), f"{events} after {said()}")


def test_lifecycle_lines_are_heard_and_access_lines_are_not(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-a", line("GET /products", logger="app.access"))
    server.log("shop-1-a", "no JSON, but app.lifecycle is in it")
    server.log("shop-1-a", line("draining", second=1, in_flight=3))

    heard(timeline, "draining")
    [seen] = timeline.history.of("Log")
    assert (seen.name, seen.state) == (
        "shop-1-a",
        {"event": "draining", "time": "2026-01-01T00:00:01+00:00", "in_flight": 3},
    )


def test_a_stream_that_breaks_is_opened_again_and_says_nothing_twice(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-a", line("draining", second=1))
    heard(timeline, "draining")

    server.cut()
    server.log("shop-1-a", line("drained", second=2))

    heard(timeline, "draining", "drained")
    assert server.followed > 1


def test_a_pod_that_comes_later_is_heard_from_its_beginning(timeline: Timeline, server: WatchDouble) -> None:
    server.log("shop-1-b", line("startup"))
    server.put("shop-1-b", owner="shop-1")

    heard(timeline, "startup")


def test_pods_of_another_workload_are_not_followed(timeline: Timeline, server: WatchDouble) -> None:
    server.log("postgres-0", line("startup"))
    server.log("shop-1-a", line("ready"))

    heard(timeline, "ready")


def test_a_pod_that_serves_is_not_followed_and_its_words_are_read_in_the_end(
    timeline: Timeline, server: WatchDouble
) -> None:
    server.log("shop-1-a", line("ready", second=1))
    heard(timeline, "ready")

    def let_go() -> bool:
        server.log("shop-1-a", line("GET /products", logger="app.access"))  # the server notices when it writes
        return not server.following

    server.put("shop-1-a", owner="shop-1", ready=True)
    poll_until(let_go, "the log to be followed no longer")
    server.log("shop-1-a", line("unready", second=2))

    assert [seen.state["event"] for seen in timeline.complete().of("Log")] == ["ready", "unready"]


def test_a_pod_that_ends_is_followed_although_it_is_ready(timeline: Timeline, server: WatchDouble) -> None:
    server.put("shop-1-b", owner="shop-1", ready=True)
    server.log("shop-1-b", line("ready", second=1))
    server.put("shop-1-b", owner="shop-1", ready=True, ending=True)
    server.log("shop-1-b", line("draining", second=2))

    heard(timeline, "ready", "draining")


async def test_a_container_that_is_killed_is_followed_until_it_was_started_again(
    server: WatchDouble, tmp_path: Path
) -> None:
    configuration = KubeConfig.from_file(kubeconfig(tmp_path, server.url)).get(CONTEXT)
    said: list[str] = []
    client = AsyncClient(config=configuration, namespace="shop", trust_env=False)
    listener = Listener(client, WORKLOAD, time.time(), lambda _, state: said.append(state["event"]))

    listener.see(serving_pod(restarts=0))
    listener.see(killing_event("shop-1-a"))
    listener.see(serving_pod(restarts=0))
    server.log("shop-1-a", line("draining", second=1))
    await eventually(lambda: said == ["draining"], "its last words to be heard although it is ready")

    listener.see(serving_pod(restarts=1))

    def let_go() -> bool:
        server.log("shop-1-a", line("GET /products", logger="app.access"))
        return not server.following

    await eventually(let_go, "the log to be followed no longer")
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


def test_what_a_line_says_beside_its_head_is_kept() -> None:
    assert event(line("telemetry_flushed", lost=2, complete=False), LIFECYCLE) == {
        "event": "telemetry_flushed",
        "time": "2026-01-01T00:00:00+00:00",
        "lost": 2,
        "complete": False,
    }
    assert event('["app.lifecycle"]', LIFECYCLE) is None


def test_an_event_that_the_service_calls_otherwise_gets_the_tools_name() -> None:
    renamed = Lifecycle(logger="basket", events={"draining": "shutting down"})

    state = event(line("shutting down", logger="basket"), renamed)

    assert state is not None
    assert state["event"] == "draining"


def test_a_service_without_lifecycle_lines_has_none() -> None:
    assert event(line("draining"), None) is None
