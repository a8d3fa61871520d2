"""Collects the facts of this machine, checks them, and prints the remedies."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import yaml
from rich.markup import escape
from rich.table import Table

from drydock.cluster import autoscaler, docker, registry
from drydock.cluster.kind import cluster_nodes
from drydock.cluster.platform import KindPlatform
from drydock.cluster.tilt import PORT as TILT_PORT
from drydock.cluster.tilt import tilts
from drydock.core.console import output_console
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.doctor import checks
from drydock.doctor.checks import Diagnosis, Level, Port
from drydock.local import leftovers
from drydock.local.platform import LocalPlatform
from drydock.pinned import releases, tools
from drydock.system.host import is_wsl
from drydock.system.ports import in_use, reserved
from drydock.system.processes import output
from drydock.targets.journal import RESTORE, Journal

INOTIFY = Path("/proc/sys/fs/inotify")
STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.BLOCKED: "bold red"}


def examine(project: Project) -> list[Diagnosis]:
    """Every check of the kind platform."""
    try:
        info = docker.information()
    except CannotRunError as error:
        return [checks.blocked("engine", error.reason, error.remedy), *_tools()]
    nodes, wsl = cluster_nodes(), is_wsl()
    kind = yaml.safe_load(project.kind_configuration.read_text()) if project.kind_configuration.exists() else {}
    return [
        checks.check_engine(info),
        *checks.check_components(_components()),
        *checks.check_default_platform(os.environ.get("DOCKER_DEFAULT_PLATFORM"), info),
        *checks.check_plugins(info),
        checks.check_memory(int(info["MemTotal"]), _free_memory(info), wsl=wsl),
        checks.check_disk(_free_disk(info)),
        *checks.check_checkout(project.root, wsl=wsl),
        *checks.check_inotify(_inotify() if shares_kernel(info) else None),
        checks.check_cgroup(info, accepts_cgroup_v1(kind), wsl=wsl),
        *checks.check_ports(_ports(project, kind, set(nodes))),
        *_tools(),
        *release_manifests(),
        *checks.check_cluster(nodes, _users_context()),
    ]


def autoscalers(project: Project) -> list[Diagnosis]:
    """The findings on each autoscaler of the running cluster. Empty without a cluster."""
    try:
        if not _has_cluster(project):
            return []
        namespace, pages = project.configuration.workload.namespace, project.configuration.telemetry.kind
        return checks.check_autoscalers(autoscaler.survey(KindPlatform(project).cluster, namespace, pages.prometheus))
    except FailedError as error:
        return [checks.warning("autoscaler", error.reason.splitlines()[-1], "drydock up")]


def left_changes(project: Project) -> list[Diagnosis]:
    """A warning if a drill was interrupted and has left changes. Empty without a cluster."""
    try:
        if not _has_cluster(project):
            return []
        entry = Journal(KindPlatform(project).cluster, project.configuration.workload.namespace).read()
    except FailedError:
        return []  # the check of the autoscalers names the reason
    if entry is None or entry.holder.alive:
        return []
    return [checks.warning("drill", f"interrupted, the service is not restored: {entry.holder}", RESTORE)]


def left_processes(project: Project) -> list[Diagnosis]:
    """A warning for each local drill that was killed and has left processes or its folder."""
    return [
        checks.warning("drill", f"local, process {killed.record.pid}: {killed}", leftovers.REMEDY)
        for killed in leftovers.find(project.state)
    ]


def _has_cluster(project: Project) -> bool:
    return bool(cluster_nodes()) and project.kubeconfig.exists()


def report(findings: list[Diagnosis], *, stderr: bool = False) -> None:
    """Prints the findings as a table, on a terminal or not."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        remedy = f"\n[bold]{escape(finding.remedy)}[/]" if finding.remedy else ""
        table.add_row(finding.subject, f"[{STYLES[finding.level]}]{finding.level}[/]", escape(finding.text) + remedy)
    output_console(stderr=stderr).print(table)


def refuse_if_blocked(findings: list[Diagnosis]) -> None:
    """Prints every problem. Raises CannotRunError if one of them blocks."""
    if amiss := [finding for finding in findings if finding.level is not Level.OK]:
        report(amiss, stderr=True)
    if any(finding.level is Level.BLOCKED for finding in findings):
        raise CannotRunError(
            "this machine is not ready", "Apply the remedies above; `drydock doctor` shows everything."
        )


def accepts_cgroup_v1(kind: Any) -> bool:
    """Whether a kind configuration sets the kubelet's failCgroupV1 to false."""
    patches = kind.get("kubeadmConfigPatches") or []
    documents = [document for patch in patches for document in yaml.safe_load_all(patch) if document]
    return any(document.get("failCgroupV1") is False for document in documents)


def published_ports(kind: Any) -> list[int]:
    """The host ports of a kind configuration."""
    nodes = kind.get("nodes") or []
    return [mapping["hostPort"] for node in nodes for mapping in node.get("extraPortMappings") or []]


def _ports(project: Project, kind: Any, nodes: set[str]) -> Iterator[Port]:
    platforms = project.configuration.platforms
    for number in published_ports(kind):
        yield _published(number, "the cluster", nodes, needed=True)
    yield _published(registry.PORT, "the local registry", {registry.NAME}, needed=True)
    yield _tilt(project)
    local = LocalPlatform(project).running()
    yield _port(platforms.port("local"), "the local platform", "local platform" if local else None, needed=False)
    yield _published(platforms.port("compose"), "Compose", _compose_containers(project), needed=False)


def _tilt(project: Project) -> Port:
    folders = [folder for _, folder in tilts()] if in_use(TILT_PORT) else []
    ours = project.root in folders
    stranger = f"the Tilt of {folders[0]} (`drydock down` there stops it)" if folders else None
    return _port(TILT_PORT, "Tilt", "Tilt" if ours else None, stranger, needed=True)


def _port(number: int, purpose: str, ours: str | None, stranger: str | None = None, *, needed: bool) -> Port:
    holder = (ours or stranger or _stranger(number)) if in_use(number) else None
    return Port(number, purpose, holder, ours=ours is not None, needed=needed)


def _published(number: int, purpose: str, ours: set[str], *, needed: bool) -> Port:
    """A port that a container of ours publishes, or another container, or another program."""
    if not in_use(number):
        return Port(number, purpose, None, ours=True, needed=needed)
    publishers = [name for name, state in docker.containers(f"publish={number}").items() if state == "running"]
    holder = f"container {publishers[0]}" if publishers else _stranger(number)
    return Port(number, purpose, holder, ours=bool(ours & set(publishers)), needed=needed)


def _stranger(number: int) -> str:
    return "nobody, but reserved by the system" if reserved(number) else "another program"


def _compose_containers(project: Project) -> set[str]:
    compose = project.root / "compose.yaml"
    return set(docker.containers(f"label=com.docker.compose.project.config_files={compose}"))


def _tools() -> Iterator[Diagnosis]:
    for tool in tools.TOOLS:
        where = tools.locate(tool)
        on_path = shutil.which(tool.name)
        other = tools.installed_version(tool, Path(on_path)) if on_path and not where else None
        yield checks.check_tool(tool, str(where) if where else None, other)


def release_manifests() -> Iterator[Diagnosis]:
    """The findings on the cached release manifests."""
    for release in releases.RELEASES:
        try:
            where = releases.locate(release)
        except CannotRunError as error:
            yield checks.blocked(release.name, error.reason, error.remedy)
        else:
            place = f"at {where}" if where else "will be downloaded by `drydock up`"
            yield checks.ok(release.name, f"manifest of {release.version} {place}")


def shares_kernel(info: Mapping[str, Any]) -> bool:
    """Whether the engine runs on this machine itself, and not in a virtual machine, as Docker Desktop's does."""
    same_memory = abs(int(info["MemTotal"]) - psutil.virtual_memory().total) < checks.GIB // 8
    return sys.platform == "linux" and info.get("OperatingSystem") != "Docker Desktop" and same_memory


def _components() -> list[str]:
    try:
        return docker.components()
    except FailedError:
        return []


def _free_memory(info: dict[str, Any]) -> int | None:
    return psutil.virtual_memory().available if shares_kernel(info) else None


def _free_disk(info: dict[str, Any]) -> int | None:
    folder = Path(info.get("DockerRootDir", ""))
    shared = shares_kernel(info) and folder.exists()
    return shutil.disk_usage(folder).free if shared else None


def _inotify() -> dict[str, int]:
    files = {name: INOTIFY / name for name in checks.INOTIFY_NEEDED}
    return {name: int(file.read_text()) for name, file in files.items() if file.exists()}


def _users_context() -> str | None:
    kubectl = tools.locate(tools.KUBECTL)
    if kubectl is None:
        return None
    try:
        return output([str(kubectl), "config", "current-context"]).strip()
    except FailedError:
        return None
