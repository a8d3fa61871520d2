"""What a machine must have: each check takes facts and gives findings, with the remedy where something is amiss."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from drydock.cluster.autoscaler import Reading
from drydock.pinned.tools import Tool

GIB = 1024**3

MINIMUM_ENGINE = (20, 10)
# Measured: three nodes with the service, Postgres and telemetry take 2.0 GiB with the registry, 2.2 under load; builds
# come on top.
MEMORY_NEEDED = 4 * GIB
FREE_MEMORY_NEEDED = 2 * GIB
# The node image takes 1 GiB, base images and builds about 2, the nodes' own copies 2.
DISK_NEEDED = 5 * GIB
DISK_COMFORTABLE = 10 * GIB
# https://kind.sigs.k8s.io/docs/user/known-issues/#pod-errors-due-to-too-many-open-files
INOTIFY_NEEDED: Mapping[str, int] = {"max_user_watches": 524288, "max_user_instances": 512}


class Level(StrEnum):
    """How much a finding matters: only `blocked` stops `drydock up`."""

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
    """buildx, without which nothing is built, and compose, for the quick look without Kubernetes."""
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


def check_memory(total: int, free: int | None) -> Diagnosis:
    """The engine's memory in bytes, and how much of it is free where the engine runs on this machine itself."""
    states = f"{total / GIB:.1f} GiB" + (f", {free / GIB:.1f} GiB free" if free is not None else "")
    text = f"{states} (needs {MEMORY_NEEDED / GIB:.0f}, {FREE_MEMORY_NEEDED / GIB:.0f} free before the first start)"
    if total < MEMORY_NEEDED:
        return blocked("memory", text, "Give the engine more memory (Docker Desktop: Settings, Resources).")
    if free is not None and free < FREE_MEMORY_NEEDED:
        return warning("memory", text, "Close something, or expect pods to be killed.")
    return ok("memory", text)


def check_disk(free: int | None) -> Diagnosis:
    """The free bytes where the engine keeps images, where that is a folder of this machine."""
    if free is None:
        return ok("disk", "kept by the engine's own machine, not looked into")
    text = f"{free / GIB:.0f} GiB free (needs {DISK_NEEDED / GIB:.0f}, comfortable with {DISK_COMFORTABLE / GIB:.0f})"
    if free < DISK_NEEDED:
        return blocked("disk", text, "Free some: docker system prune.")
    if free < DISK_COMFORTABLE:
        return warning("disk", text, "Free some before it runs out: docker system prune.")
    return ok("disk", text)


def check_inotify(limits: Mapping[str, int]) -> list[Diagnosis]:
    """Linux's limits on watched files, which each node and Tilt draw on; empty `limits` elsewhere."""
    findings = []
    for name, needed in INOTIFY_NEEDED.items():
        if name not in limits:
            continue
        subject, text = f"inotify {name.removeprefix('max_user_')}", f"{limits[name]} (needs {needed})"
        remedy = f"sudo sysctl fs.inotify.{name}={needed} (for good: in /etc/sysctl.d/)"
        findings.append(ok(subject, text) if limits[name] >= needed else warning(subject, text, remedy))
    return findings


def check_cgroup(info: Mapping[str, Any], kubelet_accepts_v1: bool) -> Diagnosis:
    """The host's cgroup version; Kubernetes 1.35 and later refuse v1 unless the kubelet's failCgroupV1 is false."""
    if str(info.get("CgroupVersion", "2")) != "1":
        return ok("cgroup", "v2")
    if kubelet_accepts_v1:
        return ok("cgroup", "v1, accepted because k8s/kind.yaml sets the kubelet's failCgroupV1 to false")
    remedy = "Set failCgroupV1: false (KubeletConfiguration) in k8s/kind.yaml, or boot the host with cgroup v2."
    return blocked("cgroup", "v1, which the kubelet refuses", remedy)


@dataclass(frozen=True)
class Port:
    """A port of this machine that we listen on: for what, and who holds it now (None: no one)."""

    number: int
    purpose: str
    holder: str | None
    ours: bool
    needed: bool


def check_ports(ports: Iterable[Port]) -> list[Diagnosis]:
    """Whether each port is free or ours; one that `up` needs and a stranger holds blocks."""
    return [_check_port(port) for port in ports]


def _check_port(port: Port) -> Diagnosis:
    subject, text = f"port {port.number}", f"{port.purpose}: "
    if port.holder is None:
        return ok(subject, text + "free")
    if port.ours:
        return ok(subject, text + f"held by our own {port.holder}")
    remedy = f"Stop it (lsof -iTCP:{port.number} -sTCP:LISTEN shows it), or choose another port."
    return Diagnosis(subject, Level.BLOCKED if port.needed else Level.WARNING, text + f"held by {port.holder}", remedy)


def check_tool(tool: Tool, where: str | None, other: str | None) -> Diagnosis:
    """A program in its version: where it is, or which `other` version PATH has instead."""
    if where:
        return ok(tool.name, f"{tool.version} at {where}")
    instead = f" (PATH has {other}, which is left alone)" if other else ""
    return ok(tool.name, f"{tool.version} will be downloaded by `drydock up`{instead}")


def check_autoscalers(readings: Iterable[Reading]) -> list[Diagnosis]:
    """What each autoscaler reads; one that is blind warns and blocks nothing, for `up` may be what it needs."""
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
