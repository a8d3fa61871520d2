"""The requirements on a machine. Each check takes facts and returns findings, with a remedy for each problem."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from drydock.cluster.autoscaler import Reading
from drydock.pinned.tools import GO_ARCHITECTURES, Tool
from drydock.system.ports import listeners_command

GIB = 1024**3

MINIMUM_ENGINE = (20, 10)
PODMAN = "Podman Engine"  # among the components in `docker version`
# Measured: three nodes with the service, Postgres and telemetry take 2.0 GiB with the registry, 2.2 under load; Grafana
# and builds come on top. A virtual machine that is set to 4 GB reports about 3.8 GiB.
MEMORY_NEEDED = int(3.5 * GIB)
MEMORY_COMFORTABLE = int(5.5 * GIB)
FREE_MEMORY_NEEDED = 2 * GIB
ENGINE_SETTINGS = "Docker Desktop: Settings, Resources"
# The node image takes 1 GiB, base images and builds about 2, the nodes' own copies 2.
DISK_NEEDED = 5 * GIB
DISK_COMFORTABLE = 10 * GIB
WSL_CGROUP = (
    "wsl --update; if that is not enough, kernelCommandLine = cgroup_no_v1=all under [wsl2] in "
    "%UserProfile%\\.wslconfig, then wsl --shutdown"
)
# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
INOTIFY_NEEDED: Mapping[str, int] = {"max_user_watches": 524288, "max_user_instances": 512}


class Level(StrEnum):
    """The weight of a finding: only `blocked` stops `drydock up`."""

    OK = "ok"
    WARNING = "warning"
    BLOCKED = "blocked"


@dataclass(frozen=True)
class Diagnosis:
    """One line of the doctor's report."""

    subject: str
    level: Level
    text: str
    remedy: str = ""


def ok(subject: str, text: str) -> Diagnosis:
    """Nothing to do."""
    return Diagnosis(subject, Level.OK, text)


def warning(subject: str, text: str, remedy: str) -> Diagnosis:
    """Works for now."""
    return Diagnosis(subject, Level.WARNING, text, remedy)


def blocked(subject: str, text: str, remedy: str) -> Diagnosis:
    """Does not work until the remedy is applied."""
    return Diagnosis(subject, Level.BLOCKED, text, remedy)


def check_engine(info: Mapping[str, Any]) -> Diagnosis:
    """The engine's version."""
    version = str(info["ServerVersion"])
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < MINIMUM_ENGINE:
        return blocked("engine", f"Docker {version}", "Install Docker 20.10 or later.")
    return ok("engine", f"Docker {version} on {info.get('OperatingSystem', 'an unknown system')}")


def check_plugins(info: Mapping[str, Any]) -> list[Diagnosis]:
    """buildx builds every image; compose runs the stack without Kubernetes."""
    plugins = (info.get("ClientInfo") or {}).get("Plugins") or []
    versions = {plugin["Name"]: plugin.get("Version", "") for plugin in plugins}

    def finding(name: str, amiss: Level, remedy: str) -> Diagnosis:
        if name in versions:
            return ok(name, versions[name])
        return Diagnosis(name, amiss, "missing", remedy)

    return [
        finding("buildx", Level.BLOCKED, "Install the Docker plugin buildx: docs.docker.com/go/buildx."),
        finding("compose", Level.WARNING, "Install the Docker plugin compose: docs.docker.com/compose/install."),
    ]


def check_memory(total: int, free: int | None, *, wsl: bool = False) -> Diagnosis:
    """The memory of the engine in bytes, and its free part if the engine runs on this machine itself."""
    states = f"{total / GIB:.1f} GiB" + (f", {free / GIB:.1f} GiB free" if free is not None else "")
    text = (
        f"{states} (needs {MEMORY_NEEDED / GIB:g}, comfortable with {MEMORY_COMFORTABLE / GIB:g}, "
        f"{FREE_MEMORY_NEEDED / GIB:g} free before the first start)"
    )
    more = "memory=8GB under [wsl2] in %UserProfile%\\.wslconfig, then wsl --shutdown" if wsl else ENGINE_SETTINGS
    if total < MEMORY_NEEDED:
        return blocked("memory", text, f"Give the engine more memory: {more}.")
    if total < MEMORY_COMFORTABLE:
        return warning("memory", text, f"Use --profile small, or --without grafana; or give it more: {more}.")
    if free is not None and free < FREE_MEMORY_NEEDED:
        return warning("memory", text, "Close something, or expect pods to be killed.")
    return ok("memory", text)


def check_disk(free: int | None) -> Diagnosis:
    """The free bytes of the engine's image folder, if that is a folder of this machine."""
    if free is None:
        return ok("disk", "kept by the engine's own machine, not looked into")
    text = f"{free / GIB:.0f} GiB free (needs {DISK_NEEDED / GIB:.0f}, comfortable with {DISK_COMFORTABLE / GIB:.0f})"
    if free < DISK_NEEDED:
        return blocked("disk", text, "Free some: docker system prune.")
    if free < DISK_COMFORTABLE:
        return warning("disk", text, "Free some before it runs out: docker system prune.")
    return ok("disk", text)


def check_inotify(limits: Mapping[str, int] | None) -> list[Diagnosis]:
    """The engine's kernel's limits on watched files, which each node draws on; None where it is not this kernel."""
    if limits is None:
        return [ok("inotify", "not looked into: the engine has its own virtual machine")]
    findings = []
    for name, needed in INOTIFY_NEEDED.items():
        if name not in limits:
            continue
        subject, text = f"inotify {name.removeprefix('max_user_')}", f"{limits[name]} (needs {needed})"
        remedy = f"sudo sysctl fs.inotify.{name}={needed} (for good: in /etc/sysctl.d/)"
        findings.append(ok(subject, text) if limits[name] >= needed else warning(subject, text, remedy))
    return findings


def check_cgroup(info: Mapping[str, Any], kubelet_accepts_v1: bool, *, wsl: bool = False) -> Diagnosis:
    """The host's cgroup version; Kubernetes 1.35 and later refuse v1 unless the kubelet's failCgroupV1 is false.

    WSL may mix v1 and v2, which no kubelet accepts (kind#3685).
    """
    if str(info.get("CgroupVersion", "2")) != "1":
        return ok("cgroup", "v2")
    if wsl:
        level = Level.WARNING if kubelet_accepts_v1 else Level.BLOCKED
        return Diagnosis("cgroup", level, "v1, which WSL may mix with v2: kind can fail with it", WSL_CGROUP)
    if kubelet_accepts_v1:
        return ok("cgroup", "v1, accepted because k8s/kind.yaml sets the kubelet's failCgroupV1 to false")
    remedy = "Set failCgroupV1: false (KubeletConfiguration) in k8s/kind.yaml, or boot the host with cgroup v2."
    return blocked("cgroup", "v1, which the kubelet refuses", remedy)


def check_default_platform(chosen: str | None, info: Mapping[str, Any]) -> list[Diagnosis]:
    """DOCKER_DEFAULT_PLATFORM, which makes Docker pull images of another processor than the engine's (kind#2718)."""
    ours = GO_ARCHITECTURES.get(str(info.get("Architecture", "")).lower())
    if not chosen or ours is None or chosen.split("/")[1:2] == [ours]:
        return []
    text = f"DOCKER_DEFAULT_PLATFORM is {chosen}, but the engine runs {ours}: kind cannot start such nodes"
    return [blocked("platform", text, "unset DOCKER_DEFAULT_PLATFORM")]


def check_components(names: Iterable[str]) -> list[Diagnosis]:
    """Reports an engine behind the docker command that is not Docker's."""
    if PODMAN not in names:
        return []
    text = "Podman answers to the docker command, which is not supported: its registry cannot join kind's network"
    return [warning("engine", text, "Use Docker Engine, Docker Desktop, Colima or OrbStack; or --platform local.")]


def check_checkout(root: Path, *, wsl: bool) -> list[Diagnosis]:
    """Reports a checkout without file events: a drive of Windows in WSL (WSL#4739)."""
    if not wsl or not re.match(r"/mnt/[a-z]/", f"{root}/"):
        return []
    text = f"{root} is on a drive of Windows: Tilt sees no edits there"
    return [warning("checkout", text, "Clone into the Linux file system, such as ~/drydock.")]


@dataclass(frozen=True)
class Port:
    """A port that Drydock needs on this machine, its purpose, and the program that holds it now (None: free)."""

    number: int
    purpose: str
    holder: str | None
    ours: bool
    needed: bool


def check_ports(ports: Iterable[Port]) -> list[Diagnosis]:
    """Reports each port that another program holds. It blocks if `up` needs the port."""
    return [_check_port(port) for port in ports]


def _check_port(port: Port) -> Diagnosis:
    subject, text = f"port {port.number}", f"{port.purpose}: "
    if port.holder is None:
        return ok(subject, text + "free")
    if port.ours:
        return ok(subject, text + f"held by our own {port.holder}")
    remedy = f"Stop it ({listeners_command(port.number)} shows it), or choose another port."
    return Diagnosis(subject, Level.BLOCKED if port.needed else Level.WARNING, text + f"held by {port.holder}", remedy)


def check_tool(tool: Tool, where: str | None, other: str | None) -> Diagnosis:
    """A program in its pinned version: its path, or the `other` version on PATH."""
    if where:
        return ok(tool.name, f"{tool.version} at {where}")
    instead = f" (PATH has {other}, which is left alone)" if other else ""
    return ok(tool.name, f"{tool.version} will be downloaded by `drydock up`{instead}")


def check_autoscalers(readings: Iterable[Reading]) -> list[Diagnosis]:
    """Warns of each autoscaler without metric values. It never blocks: `up` may be the remedy."""
    return [
        Diagnosis(
            subject=f"autoscaler {reading.name}",
            level=Level.OK if reading.healthy else Level.WARNING,
            text=reading.text,
            remedy="\n".join(reading.causes),
        )
        for reading in readings
    ]


def check_cluster(nodes: Mapping[str, str], users_context: str | None) -> list[Diagnosis]:
    """The state of our cluster, and whose context `kubectl` would use without us."""
    running = sum(state == "running" for state in nodes.values())
    state = f"{running} of {len(nodes)} nodes running" if nodes else "not created yet"
    elsewhere = f"yours is {users_context}; it is neither used nor changed" if users_context else "you have none"
    return [
        ok("cluster", f"drydock: {state}" + ("" if running == len(nodes) else "; `drydock up` starts them")),
        ok("kube context", f"kind-drydock, in .local/kubeconfig ({elsewhere})"),
    ]
