"""The preconditions of a run against the cluster. Each guard raises CannotRunError with the remedy."""

import os
from pathlib import Path

import yaml

from drydock.cluster import autoscaler
from drydock.cluster.kind import CONTEXT, Cluster, guard
from drydock.core.errors import CannotRunError
from drydock.core.project import Project, Workload
from drydock.system import http

# On the workload's Deployment: the mode of the overlay that deployed it.
MODE_ANNOTATION = "drydock.dev/mode"
PARITY = "parity"


def refuse_another_context(cluster: Cluster) -> None:
    """Protects every cluster but drydock's own, also when the user's shell points at another one.

    Raises:
        CannotRunError: drydock's kubeconfig is missing or points elsewhere, or KUBECONFIG has another current context.
    """
    if chosen := os.environ.get("KUBECONFIG"):
        context = _current_context(chosen)
        if context != CONTEXT:
            reason = f"KUBECONFIG is set to the context {context!r}, not {CONTEXT!r}: refused"
            remedy = 'Point this shell at drydock\'s cluster: eval "$(drydock env)". Or unset KUBECONFIG.'
            raise CannotRunError(reason, remedy)
    guard(cluster.kubeconfig)


def refuse_dev_mode(cluster: Cluster, workload: Workload) -> None:
    """Refuses dev mode, because its reloading process is not what production runs.

    Raises:
        CannotRunError: the workload is not deployed, or not in parity mode.
    """
    mode = mode_of(cluster, workload)
    if mode != PARITY:
        reason = f"the workload {workload.deployment} is not in parity mode: {MODE_ANNOTATION} is {mode!r}"
        raise CannotRunError(reason, "Deploy it as production runs it: drydock up --mode parity")


def mode_of(cluster: Cluster, workload: Workload) -> str | None:
    """The mode that the workload was deployed in; None without the annotation.

    Raises:
        CannotRunError: it is not deployed.
    """
    chosen = ("--namespace", workload.namespace, "--field-selector", f"metadata.name={workload.deployment}")
    found = cluster.get("deployments", *chosen)["items"]
    if not found:
        reason = f"there is no Deployment {workload.deployment} in {workload.namespace}"
        raise CannotRunError(reason, "Deploy it: drydock up")
    mode: str | None = found[0]["metadata"].get("annotations", {}).get(MODE_ANNOTATION)
    return mode


def refuse_unready(project: Project) -> None:
    """Requests the readiness endpoint of the service on kind, to fail at once if the platform is down.

    Raises:
        CannotRunError: the service is not ready.
    """
    url = project.configuration.platforms.kind
    if not http.answers(url + project.configuration.probes.ready):
        raise CannotRunError(f"the service is not ready at {url}", "Start it: drydock up")


def refuse_blind_autoscaler(cluster: Cluster, project: Project) -> None:
    """Refuses an autoscaler without metric values: it cannot scale, so its scaling cannot be measured.

    Raises:
        CannotRunError: no autoscaler scales the workload, or one of its metrics has no value.
    """
    workload = project.configuration.workload
    readings = autoscaler.survey(cluster, workload.namespace, project.configuration.telemetry.kind.prometheus)
    ours = [reading for reading in readings if reading.workload == workload.deployment]
    if not ours:
        raise CannotRunError(f"no autoscaler scales {workload.deployment}", "Deploy one: drydock up --mode parity")
    for reading in ours:
        if not reading.healthy:
            reason = f"the autoscaler {reading.name} has no metric values: {reading.line}"
            raise CannotRunError(reason, "Run `drydock doctor`.")


def _current_context(kubeconfig: str) -> str | None:
    """The current context by kubectl's rule: that of the first file in the list that sets one."""
    for name in kubeconfig.split(os.pathsep):
        path = Path(name).expanduser()
        content = yaml.safe_load(path.read_text()) if name and path.is_file() else None
        if context := (content or {}).get("current-context"):
            return str(context)
    return None
