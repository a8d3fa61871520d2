"""Putting a Deployment back: what a drill changed, and no rollout that changes nothing."""

from typing import Any

from drydock.targets.kind import RESTARTED, _differences, _only_restarted


def spec(**more: Any) -> dict[str, Any]:
    annotations = {"prometheus.io/scrape": "true"}
    return {"template": {"metadata": {"annotations": annotations}, "spec": {"a": 1}}, "strategy": {"type": "x"}, **more}


def restarted(before: dict[str, Any]) -> dict[str, Any]:
    annotations = {**before["template"]["metadata"]["annotations"], RESTARTED: "2026-01-01T00:00:00Z"}
    return {**before, "template": {**before["template"], "metadata": {"annotations": annotations}}}


def test_what_is_the_same_needs_no_change() -> None:
    assert _differences(spec(), spec()) == []


def test_what_differs_is_replaced_and_what_was_added_is_removed() -> None:
    now = spec(template={"spec": {"a": 2}, "metadata": {}}, minReadySeconds=5)

    assert _differences(now, spec()) == [
        {"op": "add", "path": "/spec/template", "value": spec()["template"]},
        {"op": "remove", "path": "/spec/minReadySeconds"},
    ]


def test_a_restart_alone_is_left_as_it_is() -> None:
    assert _only_restarted(restarted(spec()), spec())
    assert not _only_restarted(restarted(spec(minReadySeconds=5)), spec())
