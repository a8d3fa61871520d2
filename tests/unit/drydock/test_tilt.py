from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from drydock.cluster import tilt
from drydock.cluster.tilt import Resource, Tilt
from drydock.core.console import Step
from drydock.core.errors import CannotRunError, FailedError

TILTFILE = Resource("(Tiltfile)", "ok", "not_applicable")
UP = Resource("shop", "ok", "ok")
STARTING = Resource("shop", "ok", "pending")
CRASHING = Resource("shop", "ok", "error")


@pytest.fixture
def following(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Tilt]:
    """Makes a Tilt that returns these lists of resources one after the other, and then repeats the last one."""
    monkeypatch.setattr(tilt, "POLL_SECONDS", 0)
    monkeypatch.setattr(Tilt, "_log_of", lambda self, name: f"the log of {name}")

    def make(*answers: list[Resource], alive: bool = True) -> Tilt:
        remaining = list(answers)
        monkeypatch.setattr(Tilt, "running", lambda self: psutil.Process() if alive else None)
        monkeypatch.setattr(Tilt, "resources", lambda self: remaining.pop(0) if len(remaining) > 1 else remaining[0])
        return Tilt(tmp_path / "tilt", tmp_path, tmp_path, {})

    return make


def test_a_resource_is_parsed_from_tilts_api() -> None:
    item: dict[str, Any] = {"metadata": {"name": "shop"}, "status": {"updateStatus": "ok", "runtimeStatus": "pending"}}

    assert Resource.parse(item) == STARTING
    assert Resource.parse({"metadata": {"name": "new"}}) == Resource("new", "none", "none")
    item["status"] |= {"k8sResourceInfo": {"podStatus": "CrashLoopBackOff", "podRestarts": 6}}
    assert Resource.parse(item) == Resource("shop", "ok", "pending", "CrashLoopBackOff", 6)


@pytest.mark.parametrize(
    ("resource", "settled", "failed"),
    [
        (UP, True, False),
        (Resource("place-order", "none", "not_applicable"), True, False),
        (STARTING, False, False),
        (Resource("shop", "in_progress", "ok"), False, False),
        (CRASHING, False, True),
        (Resource("shop", "error", "none"), False, True),
        (Resource("shop", "ok", "pending", "CrashLoopBackOff", restarts=1), False, False),
        (Resource("shop", "ok", "pending", "Running", restarts=2), False, True),
        (Resource("shop", "ok", "pending", "ImagePullBackOff"), False, True),
        (Resource("shop", "ok", "ok", "Running", restarts=6), True, False),
    ],
)
def test_a_resource_is_settled_or_failed_by_its_statuses(resource: Resource, settled: bool, failed: bool) -> None:
    assert (resource.settled, resource.failed) == (settled, failed)


def test_waiting_ends_when_every_resource_is_up(following: Callable[..., Tilt]) -> None:
    progress = Step("service")

    following([], [TILTFILE], [TILTFILE, STARTING], [TILTFILE, UP]).wait_until_ready(progress)

    assert progress.detail == "2 of 2 resources up"


def test_a_pod_that_fails_once_and_recovers_is_not_a_failure(following: Callable[..., Tilt]) -> None:
    following([TILTFILE, CRASHING], [TILTFILE, STARTING], [TILTFILE, UP]).wait_until_ready(Step("service"))


def test_the_error_of_a_failed_resource_has_its_name_and_log(
    following: Callable[..., Tilt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tilt, "ERROR_SECONDS", 0.02)

    with pytest.raises(FailedError, match=r"shop failed:\nthe log of shop"):
        following([TILTFILE, CRASHING]).wait_until_ready(Step("service"))


def test_an_error_in_the_tiltfile_fails_at_once(following: Callable[..., Tilt]) -> None:
    with pytest.raises(FailedError, match=r"\(Tiltfile\) failed"):
        following([Resource("(Tiltfile)", "error", "not_applicable")]).wait_until_ready(Step("service"))


def test_the_error_of_a_resource_that_never_comes_up_has_its_name(
    following: Callable[..., Tilt], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tilt, "READY_SECONDS", 0.02)

    with pytest.raises(FailedError, match="shop did not come up"):
        following([TILTFILE, STARTING]).wait_until_ready(Step("service"))


def test_the_error_of_a_tilt_that_exits_has_its_log(following: Callable[..., Tilt], tmp_path: Path) -> None:
    (tmp_path / "tilt.log").write_text("Error: listen tcp :10350: address already in use\n")

    with pytest.raises(CannotRunError, match="address already in use"):
        following([], alive=False).wait_until_ready(Step("service"))
