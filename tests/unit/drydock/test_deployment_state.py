"""Restoring a Deployment: the changed fields, without a rollout that changes nothing, and without an older image."""

from typing import Any

from drydock.targets.deployment import differences, with_images_of


def state(image: str = "shop:1", **more: Any) -> dict[str, Any]:
    containers = [{"name": "shop", "image": image}]
    return {"template": {"metadata": {}, "spec": {"containers": containers}}, "strategy": {"type": "x"}, **more}


def test_equal_states_need_no_change() -> None:
    assert differences(state(), state()) == []


def test_a_changed_field_is_replaced_and_an_added_one_is_removed() -> None:
    now = state(strategy={"type": "Recreate"}, minReadySeconds=5)

    assert differences(now, state()) == [
        {"op": "add", "path": "/spec/strategy", "value": {"type": "x"}},
        {"op": "remove", "path": "/spec/minReadySeconds"},
    ]


def test_an_image_that_was_deployed_since_stays() -> None:
    now = state("shop:2", minReadySeconds=5)

    assert differences(now, with_images_of(state(), now)) == [{"op": "remove", "path": "/spec/minReadySeconds"}]
