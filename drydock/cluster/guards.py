"""What a run against the cluster refuses to start on. Each guard raises CannotRunError with the remedy."""

import os
from pathlib import Path

import yaml

from drydock.cluster import autoscaler
from drydock.cluster.kind import CONTEXT, Cluster, guard
from drydock.core.errors import CannotRunError
from drydock.core.project import Project, Workload
from drydock.system import http

# On the workload's Deployment: which overlay it came from.
MODE_ANNOTATION = "drydock.dev/mode"
PARITY = "parity"


def refuse_another_context(cluster: Cluster) -> None:
    """Only our cluster on this machine is touched; a shell that was pointed at another one is taken at its word.

    Raises:
        CannotRunError: our own kubeconfig is missing or leads elsewhere, or KUBECONFIG's current context is another.
    """
    if chosen := os.environ.get("KUBECONFIG"):
        context = _current_context(chosen)
        if context != CONTEXT:
            reason = f"KUBECONFIG is set to the context {context!r}, not {CONTEXT!r}: refused"
            raise CannotRunError(reason, 'Point this shell at our cluster: eval "$(drydock env)", or unset KUBECONFIG.')
    guard(cluster.kubeconfig)


def refuse_dev_mode(cluster: Cluster, workload: Workload) -> None:
    """What reloads on an edit is not what production runs.

    Raises:
        CannotRunError: the workload is not deployed, or not in parity mode.
    """
    mode = mode_of(cluster, workload)
    if mode != PARITY:
        reason = f"the workload {workload.deployment} is not in parity mode: {MODE_ANNOTATION} says {mode!r}"
        raise CannotRunError(reason, "Deploy what production runs: drydock up --mode parity")


def mode_of(cluster: Cluster, workload: Workload) -> str | None:
    """The mode that the workload was deployed in, or None where it does not say.

    Raises:
        CannotRunError: it is not deployed.
    """
    chosen = ("--namespace", workload.namespace, "--field-selector", f"metadata.name={workload.deployment}")
    found = cluster.get("deployments", *chosen)["items"]
    if not found:
        raise CannotRunError(f"there is no Deployment {workload.deployment} in {workload.namespace}", "drydock up")
    mode: str | None = found[0]["metadata"].get("annotations", {}).get(MODE_ANNOTATION)
    return mode


def refuse_unready(project: Project) -> None:
    """Asks the service on kind itself, so that a platform that is down is said at once.

    Raises:
        CannotRunError: it is not ready.
    """
    url = project.configuration.platforms.kind
    if not http.answers(url + project.configuration.probes.ready):
        raise CannotRunError(f"the service is not ready at {url}", "Start it: drydock up")


def refuse_blind_autoscaler(cluster: Cluster, project: Project) -> None:
    """An autoscaler that reads nothing decides nothing, so its scaling cannot be measured.

    Raises:
        CannotRunError: there is none for the workload, or one of its metrics has no value.
    """
    workload = project.configuration.workload
    readings = autoscaler.survey(cluster, workload.namespace, project.configuration.telemetry.kind.prometheus)
    ours = [reading for reading in readings if reading.workload == workload.deployment]
    if not ours:
        raise CannotRunError(f"no autoscaler scales {workload.deployment}", "Deploy one: drydock up --mode parity")
    for reading in ours:
        if not reading.healthy:
            raise CannotRunError(f"the autoscaler {reading.name} is blind: {reading.line}", "drydock doctor")


def _current_context(kubeconfig: str) -> str | None:
    """The current context as kubectl finds it: the first file of the list that names one."""
    for name in kubeconfig.split(os.pathsep):
        path = Path(name).expanduser()
        content = yaml.safe_load(path.read_text()) if name and path.is_file() else None
        if context := (content or {}).get("current-context"):
            return str(context)
    return None
