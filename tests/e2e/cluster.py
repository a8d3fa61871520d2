"""The kind cluster, through kubectl. It always uses the context `kind-drydock`, never the current one."""

import contextlib
import functools
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drydock.core.project import Project
from drydock.pinned import tools
from tests.polling import poll_until

CONTEXT = "kind-drydock"
PROJECT = Project.find(Path(__file__).parent)
WORKLOAD = PROJECT.configuration.workload
NAMESPACE = WORKLOAD.namespace
SERVICE_URL = PROJECT.configuration.platforms.kind
DATABASE_POD = "postgres-0"
FEWEST_PODS = 2  # one can go while the other serves
PAUSED_AT = "autoscaling.keda.sh/paused-replicas"

type Object = dict[str, Any]


class KubectlError(Exception):
    """kubectl failed. The message contains its stderr."""


def command(*arguments: str) -> list[str]:
    """The kubectl command line for the test's context and namespace."""
    return [_program(), "--context", CONTEXT, "--namespace", NAMESPACE, *arguments]


@functools.cache
def _program() -> str:
    # Cached: the search runs every kubectl it finds to read its version.
    return str(tools.locate(tools.KUBECTL) or "kubectl")


def environment() -> dict[str, str]:
    """The caller's KUBECONFIG. If it is unset, the checkout's own file, which contains only this cluster."""
    own = {"KUBECONFIG": str(PROJECT.kubeconfig)} if PROJECT.kubeconfig.exists() else {}
    return own | os.environ


def kubectl(*arguments: str, stdin: str | None = None, seconds: float = 120) -> str:
    """Run kubectl and return its stdout. Raises KubectlError."""
    done = subprocess.run(
        command(*arguments),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env=environment(),
    )
    if done.returncode:
        raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def get(kind: str, name: str) -> Object:
    loaded: Object = json.loads(kubectl("get", kind, name, "--output", "json"))
    return loaded


def pods(label: str) -> list[Object]:
    """The pods of a workload by their app.kubernetes.io/name, without terminating ones."""
    listed = json.loads(kubectl("get", "pods", "--selector", f"app.kubernetes.io/name={label}", "--output", "json"))
    return [pod for pod in listed["items"] if "deletionTimestamp" not in pod["metadata"]]


def shop_pods() -> list[str]:
    """The names of the service's pods."""
    return sorted(pod["metadata"]["name"] for pod in pods(WORKLOAD.deployment))


def ready(pod: Object) -> bool:
    """Whether the pod's condition Ready is true."""
    return any(item["type"] == "Ready" and item["status"] == "True" for item in pod["status"].get("conditions", []))


def restarts(pod: Object) -> int:
    """The number of container restarts of a pod."""
    return sum(int(item["restartCount"]) for item in pod["status"].get("containerStatuses", []))


def create(manifest: Object) -> None:
    """Create an object. Raises KubectlError if the API server rejects it."""
    kubectl("create", "--filename", "-", stdin=json.dumps(manifest))


def delete(kind: str, name: str) -> None:
    """Delete an object and wait until it is gone. Does nothing if it does not exist."""
    kubectl("delete", kind, name, "--ignore-not-found", "--grace-period=1")


def settle() -> None:
    """Wait until the autoscaler has set its minimum and the service's Deployment is complete with every pod ready."""
    wanted = f"{FEWEST_PODS} pods of {WORKLOAD.deployment} to be wanted"
    poll_until(lambda: get("deployment", WORKLOAD.deployment)["spec"]["replicas"] >= FEWEST_PODS, wanted, seconds=60)
    kubectl("rollout", "status", f"deployment/{WORKLOAD.deployment}", "--timeout=120s", seconds=130)


@contextlib.contextmanager
def held_at(pods: int) -> Iterator[None]:
    """Pause the autoscaler at a number of pods during the block."""
    scaled = ("scaledobject", WORKLOAD.deployment)
    kubectl("annotate", "--overwrite", *scaled, f"{PAUSED_AT}={pods}")
    try:
        poll_until(lambda: _held(pods), f"the autoscaler to be held at {pods} pods", seconds=60)
        yield
    finally:
        kubectl("annotate", *scaled, f"{PAUSED_AT}-")
        poll_until(lambda: not _held(pods), "the autoscaler to decide again", seconds=60)


def _held(pods: int) -> bool:
    """Whether KEDA has deleted its HPA and set the number of replicas itself."""
    none = not kubectl("get", "hpa", WORKLOAD.deployment, "--ignore-not-found", "--output", "name")
    return none and bool(get("deployment", WORKLOAD.deployment)["spec"]["replicas"] == pods)


def query(sql: str, database: str | None = None, **variables: str | int) -> list[str]:
    """Run a query with psql in the database's pod and return its rows. The SQL refers to a variable as :'variable'."""
    sets = " ".join(f"--set {name}={shlex.quote(str(value))}" for name, value in variables.items())
    target = f"--dbname {shlex.quote(database)}" if database else '--dbname "$POSTGRES_DB"'
    psql = "exec psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1"
    script = f'{psql} --username "$POSTGRES_USER" {target} {sets}'
    output = kubectl("exec", "--stdin", DATABASE_POD, "--", "sh", "-c", script, stdin=sql)
    return [line for line in output.splitlines() if line]
