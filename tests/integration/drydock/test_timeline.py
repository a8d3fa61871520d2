"""The timeline recovers from every error of the API server, and records every version of an object once."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError
from drydock.timeline import recorder
from drydock.timeline.history import FILE, History
from drydock.timeline.recorder import Timeline
from tests.integration.drydock.watch_double import WatchDouble, kubeconfig, serving
from tests.polling import poll_until


@pytest.fixture
def server() -> Iterator[WatchDouble]:
    with serving() as double:
        double.put("first", node="a")
        yield double


@pytest.fixture
def timeline(server: WatchDouble, tmp_path: Path) -> Iterator[Timeline]:
    with Timeline(kubeconfig(tmp_path, server.url), "shop") as recording:
        poll_until(lambda: server.watches, "the watch to be open")
        yield recording


def changes(timeline: Timeline) -> list[tuple[str, str]]:
    return [(seen.name, seen.change) for seen in timeline.history.of("Pod")]


def wait_for(timeline: Timeline, *expected: tuple[str, str]) -> None:
    poll_until(lambda: changes(timeline)[-len(expected) :] == list(expected), f"{expected} after {changes(timeline)}")


def test_existing_objects_and_later_changes_are_recorded_at_their_arrival(
    timeline: Timeline, server: WatchDouble
) -> None:
    before = time.time()
    server.put("second", node="b")
    server.put("second", node="c")
    server.delete("second")

    wait_for(timeline, ("second", "added"), ("second", "changed"), ("second", "removed"))
    assert changes(timeline)[0] == ("first", "added")
    assert all(before <= seen.arrived <= time.time() for seen in timeline.history.of("Pod") if seen.name == "second")
    assert [seen.name for seen in timeline.current("Pod")] == ["first"]


def test_a_version_without_a_change_of_the_kept_state_is_not_recorded(timeline: Timeline, server: WatchDouble) -> None:
    server.put("first", node="a")
    server.put("marker")

    wait_for(timeline, ("marker", "added"))
    assert changes(timeline) == [("first", "added"), ("marker", "added")]


def test_a_closed_watch_is_resumed_without_a_new_list(timeline: Timeline, server: WatchDouble) -> None:
    for number in range(5):
        server.close()
        server.put(f"pod-{number}")
        wait_for(timeline, (f"pod-{number}", "added"))

    assert server.lists == 1, "a watch that was closed in good order needs no new list"
    assert len(changes(timeline)) == len(set(changes(timeline))), "no change is recorded twice"


def test_a_new_list_finds_the_changes_that_the_watch_missed(timeline: Timeline, server: WatchDouble) -> None:
    server.put("goes")
    server.put("changes", node="a")
    wait_for(timeline, ("changes", "added"))
    server.refuse = True
    server.cut()
    server.delete("goes")
    server.put("changes", node="b")
    server.put("comes")
    server.forget()
    server.refuse = False

    poll_until(lambda: len(changes(timeline)) == 6, "three changes after the restart")
    assert set(changes(timeline)[-3:]) == {("goes", "removed"), ("changes", "changed"), ("comes", "added")}
    assert timeline.history.restarts, "the record has the restart"


def test_410_in_the_stream_leads_to_a_new_list(timeline: Timeline, server: WatchDouble) -> None:
    server.forget()
    server.close()
    poll_until(lambda: timeline.history.restarts, "the watch to start again")
    server.put("after")

    wait_for(timeline, ("after", "added"))
    assert server.lists == 2
    assert "too old resource version" in timeline.history.restarts[0].reason


@pytest.mark.parametrize(
    "line",
    [
        b"<html>502 Bad Gateway</html>",
        b'{"type": "MODIFIED", "object": "not an object"}',
        b'{"type": "MODIFIED", "object": {"metadata": {}}}',
        b'{"type": "ADDED", "object": {"metadata": {"uid": "u"',
        b"[]",
    ],
    ids=["html", "no object", "no name", "cut short", "list"],
)
def test_the_watch_restarts_after_an_invalid_line(timeline: Timeline, server: WatchDouble, line: bytes) -> None:
    server.message(line)
    poll_until(lambda: timeline.history.restarts, "the watch to start again")
    server.put("after")

    wait_for(timeline, ("after", "added"))


def test_a_bookmark_is_not_a_change(timeline: Timeline, server: WatchDouble) -> None:
    server.bookmark()
    server.put("after")

    wait_for(timeline, ("after", "added"))
    assert changes(timeline) == [("first", "added"), ("after", "added")]
    assert not timeline.history.restarts


def test_a_broken_connection_is_opened_again(timeline: Timeline, server: WatchDouble) -> None:
    server.cut()
    server.put("after")

    wait_for(timeline, ("after", "added"))


def test_observations_beyond_the_limit_are_counted_and_dropped(server: WatchDouble, tmp_path: Path) -> None:
    with Timeline(kubeconfig(tmp_path, server.url), "shop", most=3) as recording:
        for number in range(5):
            server.put(f"pod-{number}")
        poll_until(lambda: recording.history.dropped == 3, "three observations too many")
        assert len(recording.history.observations) == 3
        assert len(recording.current("Pod")) == 6, "the existing objects are still known"


def test_the_error_of_an_unavailable_api_server_has_its_reason(
    server: WatchDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FIRST_LIST_SECONDS", 2)
    server.refuse = True

    with (
        pytest.raises(CannotRunError, match=r"did not list .*Pod.*away"),
        Timeline(kubeconfig(tmp_path, server.url), "x"),
    ):
        pass


def test_a_written_record_is_read_back(timeline: Timeline, tmp_path: Path) -> None:
    history = timeline.history

    assert [line["name"] for line in history.as_json()["observations"]] == ["first"]
    (tmp_path / FILE).write_text(json.dumps(history.as_json()))
    assert [seen.state for seen in History.read(tmp_path / FILE).of("Pod")] == [
        seen.state for seen in history.of("Pod")
    ]
