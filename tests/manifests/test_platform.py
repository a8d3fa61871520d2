"""The add-ons that `drydock up` installs: metrics-server and KEDA, changed only in the settings that kind needs."""

import copy
import hashlib
from pathlib import Path

import pytest

from drydock.cluster.images import pinned
from drydock.core.console import Step
from drydock.manifests.objects import Object, container, find
from drydock.pinned import releases, tools
from drydock.pinned.releases import KEDA, METRICS_SERVER, RELEASES, Contents, Release
from tests.manifests.conftest import ROOT
from tests.manifests.rules import keda, metrics_server, security

RULES = [
    metrics_server.trusts_kind,
    metrics_server.gives_up_in_time,
    metrics_server.stays_off_the_workers,
    metrics_server.bounded,
]


KEDA_RULES = [
    keda.stays_off_the_workers,
    keda.bounded,
    keda.watches_the_service_alone,
    keda.admits_restricted_pods_alone,
]
KEDA_IMAGES = {f"ghcr.io/kedacore/{name}:{KEDA.number}" for name in ("keda", "keda-metrics-apiserver")}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_metrics_server_works_on_kind(rule: metrics_server.Rule, platform: list[Object]) -> None:
    assert rule(platform) == []


@pytest.mark.parametrize("rule", KEDA_RULES, ids=lambda rule: rule.__name__)
def test_keda_works_on_kind(rule: keda.Rule, platform: list[Object]) -> None:
    assert rule(platform) == []


def test_the_patches_keep_kedas_own_security_context(platform: list[Object]) -> None:
    programs = [find(platform, "Deployment", name) for name in keda.PROGRAMS]
    assert security.confined(programs) == []
    assert security.read_only_root(programs) == []


def test_the_release_has_the_version_that_is_pinned(platform: list[Object]) -> None:
    image = container(platform, "Deployment", "metrics-server")["image"]
    assert image == f"registry.k8s.io/metrics-server/metrics-server:{METRICS_SERVER.version}"


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_the_objects_and_images_of_a_release_are_those_of_the_known_file(release: Release) -> None:
    path = releases.obtain(release, Step("releases"))
    if hashlib.sha256(path.read_bytes()).hexdigest() != release.sha256:
        pytest.skip(f"{path} is another file of {release.name} {release.version}")
    assert Contents.parse(path.read_bytes()) == release.contents


def test_every_release_has_a_kustomization_and_every_kustomization_a_release() -> None:
    folders = sorted(path.parent.name for path in (ROOT / "k8s" / "platform").glob("*/kustomization.yaml"))
    assert folders == sorted(release.name for release in RELEASES)


def test_the_nodes_get_the_images_from_the_mirror(platform_folders: list[Path]) -> None:
    wanted = {f"registry.k8s.io/metrics-server/metrics-server:{METRICS_SERVER.version}", *KEDA_IMAGES}
    images = pinned(ROOT, tools.obtain(tools.KUBECTL), platform_folders)
    assert wanted <= set(images.cluster)
    assert wanted <= set(images.engine)


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


def test_an_unpatched_keda_is_found(platform: list[Object]) -> None:
    released = copy.deepcopy(platform)
    for name in keda.PROGRAMS:
        spec = find(released, "Deployment", name)["spec"]["template"]["spec"]
        del spec["tolerations"], spec["nodeSelector"]["node-role.kubernetes.io/control-plane"]
        shipped = spec["containers"][0]
        shipped["imagePullPolicy"], shipped["resources"]["limits"]["memory"] = "Always", "1000Mi"
        shipped["env"] = [{"name": "WATCH_NAMESPACE", "value": ""}]
    find(released, "Namespace", "keda")["metadata"]["labels"] = {}
    assert [rule(released) for rule in KEDA_RULES] == [
        ["a drained worker takes keda-operator along", "a drained worker takes keda-metrics-apiserver along"],
        [
            "the image of keda-metrics-apiserver is pulled at each start",
            "the image of keda-operator is pulled at each start",
            "its limits sum up to 2000 MiB",
        ],
        ["keda-operator watches ''", "keda-metrics-apiserver watches ''"],
        ["its namespace enforces None"],
    ]
