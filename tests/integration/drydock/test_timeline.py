"""The timeline goes on whatever the API server does, and says every version of an object once."""

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


def said(timeline: Timeline) -> list[tuple[str, str]]:
    return [(seen.name, seen.change) for seen in timeline.history.of("Pod")]


def heard(timeline: Timeline, *news: tuple[str, str]) -> None:
    poll_until(lambda: said(timeline)[-len(news) :] == list(news), f"{news} after {said(timeline)}")


def test_what_was_there_and_what_comes_is_recorded_at_its_arrival(timeline: Timeline, server: WatchDouble) -> None:
    before = time.time()
    server.put("second", node="b")
    server.put("second", node="c")
    server.delete("second")

    heard(timeline, ("second", "added"), ("second", "changed"), ("second", "removed"))
    assert said(timeline)[0] == ("first", "added")
    assert all(before <= seen.arrived <= time.time() for seen in timeline.history.of("Pod") if seen.name == "second")
    assert [seen.name for seen in timeline.current("Pod")] == ["first"]


def test_a_version_that_changes_nothing_of_interest_is_not_recorded(timeline: Timeline, server: WatchDouble) -> None:
    server.put("first", node="a")
    server.put("marker")

    heard(timeline, ("marker", "added"))
    assert said(timeline) == [("first", "added"), ("marker", "added")]


def test_a_closed_watch_goes_on_from_where_it_was(timeline: Timeline, server: WatchDouble) -> None:
    for number in range(5):
        server.close()
        server.put(f"pod-{number}")
        heard(timeline, (f"pod-{number}", "added"))

    assert server.lists == 1, "a watch that was closed in good order needs no new list"
    assert len(said(timeline)) == len(set(said(timeline))), "nothing is said twice"


def test_what_happened_while_the_version_was_gone_is_found_by_a_new_list(
    timeline: Timeline, server: WatchDouble
) -> None:
    server.put("goes")
    server.put("changes", node="a")
    heard(timeline, ("changes", "added"))
    server.refuse = True
    server.cut()
    server.delete("goes")
    server.put("changes", node="b")
    server.put("comes")
    server.forget()
    server.refuse = False

    poll_until(lambda: len(said(timeline)) == 6, "three changes after the restart")
    assert set(said(timeline)[-3:]) == {("goes", "removed"), ("changes", "changed"), ("comes", "added")}
    assert timeline.history.restarts, "a restart is part of the record"


def test_410_in_the_stream_is_answered_with_a_new_list(timeline: Timeline, server: WatchDouble) -> None:
    server.forget()
    server.close()
    poll_until(lambda: timeline.history.restarts, "the watch to start again")
    server.put("after")

    heard(timeline, ("after", "added"))
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
def test_a_line_that_makes_no_sense_is_survived(timeline: Timeline, server: WatchDouble, line: bytes) -> None:
    server.message(line)
    poll_until(lambda: timeline.history.restarts, "the watch to start again")
    server.put("after")

    heard(timeline, ("after", "added"))


def test_a_bookmark_is_no_news(timeline: Timeline, server: WatchDouble) -> None:
    server.bookmark()
    server.put("after")

    heard(timeline, ("after", "added"))
    assert said(timeline) == [("first", "added"), ("after", "added")]
    assert not timeline.history.restarts


def test_a_connection_that_breaks_is_opened_again(timeline: Timeline, server: WatchDouble) -> None:
    server.cut()
    server.put("after")

    heard(timeline, ("after", "added"))


def test_what_is_kept_is_bounded_and_the_rest_is_counted(server: WatchDouble, tmp_path: Path) -> None:
    with Timeline(kubeconfig(tmp_path, server.url), "shop", most=3) as recording:
        for number in range(5):
            server.put(f"pod-{number}")
        poll_until(lambda: recording.history.dropped == 3, "three observations too many")
        assert len(recording.history.observations) == 3
        assert len(recording.current("Pod")) == 6, "what is there now is known all the same"


def test_an_api_server_that_is_away_is_refused_with_the_reason(
    server: WatchDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "FIRST_LIST_SECONDS", 0.5)
    server.refuse = True

    with (
        pytest.raises(CannotRunError, match=r"did not list .*Pod.*away"),
        Timeline(kubeconfig(tmp_path, server.url), "x"),
    ):
        pass


def test_the_record_is_written_and_read(timeline: Timeline, tmp_path: Path) -> None:
    history = timeline.history

    assert [line["name"] for line in history.as_json()["observations"]] == ["first"]
    (tmp_path / FILE).write_text(json.dumps(history.as_json()))
    assert [seen.state for seen in History.read(tmp_path / FILE).of("Pod")] == [
        seen.state for seen in history.of("Pod")
    ]
