"""What `drydock up` adds to a cluster of kind: metrics-server, as its release says but for what kind needs."""

from pathlib import Path

import pytest

from drydock import tools
from drydock.images import pinned
from drydock.releases import METRICS_SERVER, RELEASES
from tests.manifests.conftest import ROOT
from tests.manifests.rules import metrics_server
from tests.manifests.rules.objects import Object, container, find

RULES = [
    metrics_server.trusts_kind,
    metrics_server.gives_up_in_time,
    metrics_server.stays_off_the_workers,
    metrics_server.bounded,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_metrics_server_works_on_kind(rule: metrics_server.Rule, platform: list[Object]) -> None:
    assert rule(platform) == []


def test_the_release_has_the_version_that_is_pinned(platform: list[Object]) -> None:
    image = container(platform, "Deployment", "metrics-server")["image"]
    assert image == f"registry.k8s.io/metrics-server/metrics-server:{METRICS_SERVER.version}"


def test_every_release_has_a_kustomization_and_every_kustomization_a_release() -> None:
    folders = sorted(path.parent.name for path in (ROOT / "k8s" / "platform").glob("*/kustomization.yaml"))
    assert folders == sorted(release.name for release in RELEASES)


def test_the_nodes_get_its_image_from_the_mirror(platform_folders: list[Path]) -> None:
    image = f"registry.k8s.io/metrics-server/metrics-server:{METRICS_SERVER.version}"
    images = pinned(ROOT, tools.obtain(tools.KUBECTL), platform_folders)
    assert image in images.cluster
    assert image in images.engine


def test_a_release_without_its_patches_is_found(platform: list[Object]) -> None:
    spec = find(platform, "Deployment", "metrics-server")["spec"]["template"]["spec"]
    del spec["tolerations"], spec["nodeSelector"]["node-role.kubernetes.io/control-plane"]
    shipped = spec["containers"][0]
    shipped["args"].remove("--kubelet-insecure-tls")
    shipped["args"].append("--kubelet-request-timeout=15s")
    del shipped["resources"]["limits"]
    assert [rule(platform) for rule in RULES] == [
        ["it refuses every kubelet of kind"],
        ["a kubelet has 15s to answer, a round 15s"],
        ["a drained worker takes metrics-server along"],
        ["its memory has no limit"],
    ]
