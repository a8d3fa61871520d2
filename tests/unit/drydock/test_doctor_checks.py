from pathlib import Path

import pytest

from drydock.cluster import autoscaler
from drydock.cluster.autoscaler import Reading
from drydock.doctor import checks
from drydock.doctor.checks import GIB, Level, Port
from drydock.pinned.tools import KIND


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("20.10.24+dfsg1", Level.OK),
        ("29.0.1", Level.OK),
        ("20.10", Level.OK),
        ("19.03.15", Level.BLOCKED),
        ("20.9.0", Level.BLOCKED),
    ],
)
def test_the_engine_must_be_recent(version: str, level: Level) -> None:
    assert checks.check_engine({"ServerVersion": version}).level is level


def test_buildx_is_needed_and_compose_only_missed() -> None:
    info = {"ClientInfo": {"Plugins": [{"Name": "buildx", "Version": "v0.30.0"}]}}

    assert [finding.level for finding in checks.check_plugins(info)] == [Level.OK, Level.WARNING]
    assert [finding.level for finding in checks.check_plugins({})] == [Level.BLOCKED, Level.WARNING]


@pytest.mark.parametrize(
    ("total", "free", "level"),
    [
        (16 * GIB, 8 * GIB, Level.OK),
        (16 * GIB, None, Level.OK),
        (16 * GIB, GIB, Level.WARNING),
        (int(7.7 * GIB), None, Level.OK),
        (int(5.4 * GIB), None, Level.WARNING),
        pytest.param(int(3.8 * GIB), None, Level.WARNING, id="a virtual machine set to 4 GB"),
        (int(3.4 * GIB), None, Level.BLOCKED),
        (2 * GIB, None, Level.BLOCKED),
    ],
)
def test_memory(total: int, free: int | None, level: Level) -> None:
    finding = checks.check_memory(total, free)

    assert finding.level is level
    assert "needs" in finding.text, "the need is stated"


@pytest.mark.parametrize("total", [3 * GIB, 5 * GIB])
def test_more_memory_comes_from_another_place_in_wsl(total: int) -> None:
    assert "Docker Desktop: Settings" in checks.check_memory(total, None).remedy
    assert ".wslconfig" in checks.check_memory(total, None, wsl=True).remedy


def test_little_memory_suffices_for_less() -> None:
    remedy = checks.check_memory(5 * GIB, None).remedy
    assert "--profile small" in remedy
    assert "--without grafana" in remedy


@pytest.mark.parametrize(
    ("free", "level"), [(50 * GIB, Level.OK), (8 * GIB, Level.WARNING), (GIB, Level.BLOCKED), (None, Level.OK)]
)
def test_disk(free: int | None, level: Level) -> None:
    assert checks.check_disk(free).level is level


def test_a_low_inotify_limit_names_its_sysctl() -> None:
    watches, instances = checks.check_inotify({"max_user_watches": 524288, "max_user_instances": 128})

    assert watches.level is Level.OK
    assert instances.level is Level.WARNING
    assert "sysctl fs.inotify.max_user_instances=512" in instances.remedy
    assert checks.check_inotify({}) == [], "only Linux has these limits"


def test_the_inotify_limits_of_another_kernel_are_not_looked_into() -> None:
    [finding] = checks.check_inotify(None)

    assert finding.level is Level.OK
    assert finding.text == "not looked into: the engine has its own virtual machine"


def test_wsl_may_mix_the_cgroup_versions() -> None:
    v1 = {"CgroupVersion": "1"}

    accepted = checks.check_cgroup(v1, kubelet_accepts_v1=True, wsl=True)
    refused = checks.check_cgroup(v1, kubelet_accepts_v1=False, wsl=True)
    assert (accepted.level, refused.level) == (Level.WARNING, Level.BLOCKED)
    assert "wsl --update" in accepted.remedy
    assert "kernelCommandLine = cgroup_no_v1=all" in accepted.remedy
    assert checks.check_cgroup({"CgroupVersion": "2"}, kubelet_accepts_v1=False, wsl=True).level is Level.OK


@pytest.mark.parametrize(
    ("chosen", "architecture", "blocks"),
    [
        ("linux/amd64", "aarch64", True),
        ("linux/arm64/v8", "x86_64", True),
        ("linux/amd64", "x86_64", False),
        ("linux/arm64/v8", "aarch64", False),
        (None, "aarch64", False),
        ("", "aarch64", False),
        ("linux/amd64", "riscv64", False),
    ],
)
def test_images_of_another_processor_block(chosen: str | None, architecture: str, blocks: bool) -> None:
    findings = checks.check_default_platform(chosen, {"Architecture": architecture})

    assert [finding.level for finding in findings] == ([Level.BLOCKED] if blocks else [])
    assert all("unset DOCKER_DEFAULT_PLATFORM" in finding.remedy for finding in findings)


def test_podman_behind_the_docker_command_is_told() -> None:
    assert checks.check_components(["Engine", "containerd", "runc"]) == []
    [finding] = checks.check_components(["Podman Engine", "Conmon"])
    assert finding.level is Level.WARNING
    assert "not supported" in finding.text


@pytest.mark.parametrize(
    ("root", "wsl", "told"),
    [("/mnt/c/drydock", True, True), ("/mnt/c/drydock", False, False), ("/mnt/data/drydock", True, False)],
)
def test_a_checkout_on_a_drive_of_windows_warns(root: str, wsl: bool, told: bool) -> None:
    assert [finding.level for finding in checks.check_checkout(Path(root), wsl=wsl)] == [Level.WARNING] * told


def test_cgroup_v1_is_accepted_only_where_the_kubelet_accepts_it() -> None:
    v1 = {"CgroupVersion": "1"}

    assert checks.check_cgroup({"CgroupVersion": "2"}, kubelet_accepts_v1=False).level is Level.OK
    accepted = checks.check_cgroup(v1, kubelet_accepts_v1=True)
    assert accepted.level is Level.OK
    assert "failCgroupV1" in accepted.text, "the line says why it is ok"
    assert checks.check_cgroup(v1, kubelet_accepts_v1=False).level is Level.BLOCKED


@pytest.mark.parametrize(
    ("holder", "ours", "needed", "level"),
    [
        (None, False, True, Level.OK),
        ("container drydock-registry", True, True, Level.OK),
        ("another program", False, True, Level.BLOCKED),
        ("another program", False, False, Level.WARNING),
    ],
)
def test_a_port(holder: str | None, ours: bool, needed: bool, level: Level) -> None:
    [finding] = checks.check_ports([Port(5001, "the local registry", holder, ours=ours, needed=needed)])

    assert finding.level is level
    assert ("5001" in finding.remedy) is (level is not Level.OK)


def test_a_tool_that_is_missing_says_what_will_happen() -> None:
    assert "/usr/bin/kind" in checks.check_tool(KIND, "/usr/bin/kind", None).text
    assert "will be downloaded" in checks.check_tool(KIND, None, "v0.20.0").text
    assert "v0.20.0" in checks.check_tool(KIND, None, "v0.20.0").text


def test_a_stopped_node_is_told() -> None:
    cluster, context = checks.check_cluster({"a": "running", "b": "exited"}, "production")

    assert "1 of 2" in cluster.text
    assert "neither used nor changed" in context.text
    assert "not created" in checks.check_cluster({}, None)[0].text


def test_whatever_is_amiss_has_a_remedy() -> None:
    amiss = [
        checks.check_engine({"ServerVersion": "19.3"}),
        *checks.check_plugins({}),
        checks.check_memory(GIB, None),
        checks.check_disk(GIB),
        *checks.check_inotify({"max_user_watches": 1, "max_user_instances": 1}),
        checks.check_cgroup({"CgroupVersion": "1"}, kubelet_accepts_v1=False),
    ]

    assert [finding.subject for finding in amiss if finding.level is Level.OK or not finding.remedy] == []


def test_an_autoscaler_that_sees_is_well_and_one_that_does_not_warns_with_the_remedy() -> None:
    sees = Reading("shop", "shop", "cpu 37%/60%, 2 of 2..5 pods")
    blind = Reading("shop", "shop", "cpu unknown/60%, 2 of 2..5 pods", (autoscaler.MISSING, "rate: unknown"))

    found = checks.check_autoscalers([sees, blind])

    assert [finding.level for finding in found] == [Level.OK, Level.WARNING]
    assert found[0].text == "cpu 37%/60%, 2 of 2..5 pods"
    assert found[1].remedy == f"{autoscaler.MISSING}\nrate: unknown"
