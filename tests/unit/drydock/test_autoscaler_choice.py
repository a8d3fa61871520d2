import json
from pathlib import Path
from typing import Any

import pytest

from drydock.cluster import addons, autoscaler_choice
from drydock.cluster.keda import SCALED_OBJECTS
from drydock.cluster.stack import Autoscaling, Mode, Part, Stack
from drydock.core.console import Step
from drydock.core.errors import FailedError
from drydock.pinned.releases import KEDA, METRICS_SERVER


@pytest.mark.parametrize(
    ("stack", "chosen"),
    [
        (Stack(), Autoscaling.ONE),
        (Stack(Mode.DEV, without=(Part.KEDA,)), Autoscaling.ONE),
        (Stack(Mode.PARITY), Autoscaling.KEDA),
        (Stack(Mode.PARITY, without=(Part.GRAFANA,)), Autoscaling.KEDA),
        (Stack(Mode.PARITY, without=(Part.KEDA,)), Autoscaling.CPU),
        (Stack(Mode.PARITY, without=(Part.PROMETHEUS,)), Autoscaling.CPU),
    ],
    ids=lambda value: str(value) if isinstance(value, Autoscaling) else " ".join(value.arguments),
)
def test_a_stack_chooses_one_autoscaler_and_keda_is_installed_for_it_alone(stack: Stack, chosen: Autoscaling) -> None:
    assert stack.autoscaling is chosen
    assert addons.wanted(stack) == ((METRICS_SERVER, KEDA) if chosen is Autoscaling.KEDA else (METRICS_SERVER,))


class Cluster:
    """A test double of the cluster: its plain autoscalers, those of KEDA, and the kubectl calls."""

    def __init__(
        self, plain: int = 0, scaled: int = 0, *, keda: bool = True, operator: int | None = 1, lingers: bool = False
    ) -> None:
        self.plain, self.scaled = plain, scaled
        self.keda, self.operator, self.lingers = keda, operator, lingers
        self.asked: list[tuple[str, ...]] = []

    def get(self, kind: str, *_: str) -> Any:
        if kind == "deployments":
            return {"items": [] if self.operator is None else [{"status": {"readyReplicas": self.operator}}]}
        made_by_keda = [{"metadata": {"name": "shop", "ownerReferences": [{"kind": "ScaledObject"}]}}] * self.scaled
        if kind == SCALED_OBJECTS:
            return {"items": made_by_keda}
        return {"items": [{"metadata": {"name": "shop"}}] * self.plain + made_by_keda}

    def call(self, *arguments: str) -> str:
        self.asked.append(arguments[:3])
        if arguments[:2] == ("delete", SCALED_OBJECTS) and not self.lingers:
            self.scaled = 0
        if arguments[:2] == ("patch", SCALED_OBJECTS):
            assert json.loads(arguments[-1]) == {"metadata": {"finalizers": None}}
        return "crd" if self.keda and arguments[:2] == ("get", "crd") else ""

    @property
    def changes(self) -> list[tuple[str, ...]]:
        """The kubectl calls that change something."""
        return [asked for asked in self.asked if asked[0] != "get"]


def remove_others(cluster: Cluster, wanted: Autoscaling) -> list[tuple[str, ...]]:
    autoscaler_choice.remove_others(cluster, "shop", wanted)  # type: ignore[arg-type]
    return cluster.changes


def test_a_plain_autoscaler_is_deleted_for_keda() -> None:
    assert remove_others(Cluster(plain=1), Autoscaling.KEDA) == [("delete", "hpa", "shop")]


def test_the_autoscaler_of_keda_stays_with_keda() -> None:
    assert remove_others(Cluster(scaled=1), Autoscaling.KEDA) == []


@pytest.mark.parametrize("wanted", [Autoscaling.CPU, Autoscaling.ONE])
def test_the_scaled_object_is_deleted_for_a_plain_autoscaler(wanted: Autoscaling) -> None:
    assert remove_others(Cluster(scaled=1), wanted) == [("delete", SCALED_OBJECTS, "shop")]


def test_a_plain_autoscaler_is_kept_for_another_plain_one() -> None:
    assert remove_others(Cluster(plain=1), Autoscaling.ONE) == []


def test_a_cluster_without_keda_has_nothing_to_remove() -> None:
    assert remove_others(Cluster(plain=1, keda=False), Autoscaling.CPU) == []


@pytest.mark.parametrize("operator", [None, 0], ids=["no operator", "not ready"])
def test_without_an_operator_the_finalizer_is_removed_first(operator: int | None) -> None:
    assert remove_others(Cluster(scaled=1, operator=operator), Autoscaling.CPU) == [
        ("patch", SCALED_OBJECTS, "shop"),
        ("delete", SCALED_OBJECTS, "shop"),
    ]


def test_an_autoscaler_that_is_not_deleted_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoscaler_choice, "DELETE_SECONDS", 0)

    with pytest.raises(FailedError, match="still exists"):
        remove_others(Cluster(scaled=1, lingers=True), Autoscaling.CPU)


def test_keda_is_removed_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addons, "assemble", lambda *_: [Path("platform/keda")])
    without, installed = Cluster(keda=False), Cluster()

    for cluster in (without, installed):
        addons.remove_keda(cluster, None, Step("KEDA"))  # type: ignore[arg-type]

    assert without.changes == []
    assert installed.changes == [("delete", "--kustomize", "platform/keda")]
