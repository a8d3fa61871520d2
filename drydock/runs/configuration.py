"""The configuration of a run: everything that is needed to repeat it, and to compare it with another run."""

import platform as system
from datetime import UTC, datetime
from typing import Any

from drydock.cluster import autoscaler, guards
from drydock.cluster.platform import KindPlatform
from drydock.core.errors import FailedError
from drydock.core.project import Project
from drydock.system.processes import output


def machine(project: Project) -> dict[str, Any]:
    """The time of the start, the commit, and the machine."""
    return {
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(project),
        "machine": {"system": system.platform(), "processors": system.machine()},
    }


def describe(platform: KindPlatform, **more: Any) -> dict[str, Any]:
    """The content of configuration.json: the commit, the service's images, its mode, its autoscaler, and `more`."""
    configuration, cluster = platform.project.configuration, platform.cluster
    workload, prometheus = configuration.workload, configuration.telemetry.kind.prometheus
    chosen = ("--namespace", workload.namespace)
    pods = cluster.get("pods", *chosen, "--selector", f"app.kubernetes.io/name={workload.deployment}")["items"]
    readings = autoscaler.survey(cluster, workload.namespace, prometheus)
    return {
        **machine(platform.project),
        "mode": guards.mode_of(cluster, workload),
        "images": sorted({status["imageID"] for pod in pods for status in pod["status"].get("containerStatuses", [])}),
        "pods": len(pods),
        "autoscalers": {reading.name: reading.line for reading in readings},
        **more,
    }


def commit(project: Project) -> str:
    """The commit of the checkout, with a + if the checkout has uncommitted changes; `unknown` without git."""
    try:
        return output(["git", "describe", "--always", "--dirty=+"], folder=project.root).strip()
    except FailedError:
        return "unknown"
