"""Pods and Jobs for one test, copied from the deployed ones with one change."""

import copy
import json
from typing import Any

from tests.e2e import cluster
from tests.e2e.cluster import Object


def deployed_pod_spec(kind: str, name: str) -> Object:
    """A copy of the pod spec of a deployed workload."""
    spec: Object = copy.deepcopy(cluster.get(kind, name)["spec"]["template"]["spec"])
    return spec


def pod(name: str, spec: Object, labels: dict[str, str]) -> Object:
    """A bare pod."""
    metadata = {"name": name, "namespace": cluster.NAMESPACE, "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def migration_job(name: str, database: str) -> Object:
    """A copy of the deployed migration Job for another database on the same server."""
    spec = deployed_pod_spec("job", "migrate")
    aim_at(spec, database)
    # The network policies select a migration by this label.
    template = {"metadata": {"labels": {"app.kubernetes.io/name": "migrate"}}, "spec": spec}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": cluster.NAMESPACE},
        "spec": {"backoffLimit": 0, "template": template},
    }


def aim_at(spec: Object, database: str) -> None:
    """Make the pod use another database on the same server."""
    for variable in spec["containers"][0]["env"]:
        if variable["name"] == "DATABASE_URL":
            variable["value"] = variable["value"].replace("/$(POSTGRES_DB)", f"/{database}")


def lifecycle(log: str, logger: str = "app.lifecycle") -> list[dict[str, Any]]:
    """The lifecycle events in a pod's log, in order."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [line for line in lines if line.get("logger") == logger]
