"""The running parts of this checkout, and their health."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich.markup import escape
from rich.table import Table

from drydock.cluster import autoscaler
from drydock.cluster.autoscaler import TIMEOUT
from drydock.cluster.kind import Cluster, cluster_nodes, ready
from drydock.cluster.platform import KindPlatform
from drydock.cluster.stack import TELEMETRY_NAMESPACE
from drydock.core.console import output_console
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.local import drill_record, leftovers
from drydock.local.platform import LocalPlatform
from drydock.system.http import status
from drydock.targets.journal import RESTORE, Journal


@dataclass(frozen=True)
class StatusLine:
    """One thing that runs."""

    group: str
    name: str
    healthy: bool
    text: str


def survey(project: Project) -> list[StatusLine]:
    """Every running part of this checkout. Empty if nothing runs."""
    return [*_kind(project), *_local(project), *_local_drills(project)]


def report(lines: list[StatusLine]) -> None:
    """Prints the lines, one group after the other."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for line in lines:
        word = "[green]ok[/]" if line.healthy else "[red]not ok[/]"
        table.add_row(f"[dim]{line.group}[/]", escape(line.name), word, escape(line.text))
    output_console().print(table)


def _kind(project: Project) -> Iterator[StatusLine]:
    try:
        nodes = cluster_nodes()
    except FailedError:
        return
    if not nodes:
        return
    platform = KindPlatform(project)
    yield from _nodes(platform.cluster, nodes)
    for namespace in (project.configuration.workload.namespace, TELEMETRY_NAMESPACE):
        yield from _pods(platform.cluster, namespace)
    yield from _autoscalers(platform.cluster, project)
    yield from _drill(platform.cluster, project)
    for resource in platform.tilt.resources() if platform.tilt.running() else []:
        states = f"update {resource.update}, runtime {resource.runtime}"
        yield StatusLine("tilt", resource.name, resource.settled, states)
    yield _answer(platform.url, project)


def _local(project: Project) -> Iterator[StatusLine]:
    platform = LocalPlatform(project)
    if platform.running():
        yield StatusLine(
            "local", project.configuration.workload.deployment, True, "running beside an embedded PostgreSQL"
        )
        yield _answer(platform.url, project)


def _local_drills(project: Project) -> Iterator[StatusLine]:
    for record in drill_record.records(project.state):
        if record.running:
            yield StatusLine("drill", f"local, process {record.pid}", True, "running")
    for killed in leftovers.find(project.state):
        yield StatusLine("drill", f"local, process {killed.record.pid}", False, f"{killed}. End it: {leftovers.REMEDY}")


def _nodes(cluster: Cluster, containers: dict[str, str]) -> Iterator[StatusLine]:
    try:
        items = {item["metadata"]["name"]: item for item in cluster.get("nodes", TIMEOUT)["items"]}
    except FailedError as error:
        yield StatusLine("cluster", "API server", False, error.reason.splitlines()[-1])
        items = {}
    for name, state in sorted(containers.items()):
        healthy = state == "running" and name in items and ready(items[name])
        yield StatusLine("node", name, healthy, "Ready" if healthy else f"container {state}, not Ready")


def _pods(cluster: Cluster, namespace: str) -> Iterator[StatusLine]:
    try:
        items = cluster.get("pods", "--namespace", namespace, TIMEOUT)["items"]
    except FailedError:
        return
    for pod in items:
        yield _pod(pod)


def _pod(pod: Any) -> StatusLine:
    phase, statuses = pod["status"]["phase"], pod["status"].get("containerStatuses") or []
    restarts = sum(container["restartCount"] for container in statuses)
    healthy = phase == "Succeeded" or ready(pod)
    condition = "completed" if phase == "Succeeded" else "ready" if healthy else f"{phase}, not ready"
    return StatusLine("pod", pod["metadata"]["name"], healthy, f"{condition}, {restarts} restarts")


def _autoscalers(cluster: Cluster, project: Project) -> Iterator[StatusLine]:
    prometheus = project.configuration.telemetry.kind.prometheus
    try:
        readings = autoscaler.survey(cluster, project.configuration.workload.namespace, prometheus)
    except FailedError:
        return
    for reading in readings:
        yield StatusLine("hpa", reading.name, reading.healthy, reading.line)


def _drill(cluster: Cluster, project: Project) -> Iterator[StatusLine]:
    try:
        entry = Journal(cluster, project.configuration.workload.namespace).read()
    except FailedError:
        return
    if entry:
        text = "running" if entry.holder.alive else f"interrupted, the service is not restored. {RESTORE}"
        yield StatusLine("drill", str(entry.holder), entry.holder.alive, text)


def _answer(url: str, project: Project) -> StatusLine:
    code = status(url + project.configuration.probes.ready)
    return StatusLine("url", url, code == 200, f"readiness {code or 'does not answer'}")
