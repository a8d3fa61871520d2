"""The Jobs of a load run, made of the manifests of k8s/load/locust: the same pods, for one run, without the page."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from drydock.requests import records

MASTER, WORKER, SERVICE = "load-master", "load-worker", "load"
# Tells the pods of a run from those of the page: `page` in the manifests.
INSTANCE = "app.kubernetes.io/instance"
SELECTOR = f"{INSTANCE}=run"
NAMES = {"locust-master": MASTER, "locust-worker": WORKER, "locust": SERVICE}
# Longer than any run: what ends it is its scenario, or a person.
DEADLINE_SECONDS = 24 * 3600
RESULTS = "/results"
RECORDS = f"{RESULTS}/{records.FILE}"

type Object = dict[str, Any]


def jobs(
    rendered: Iterable[Object], image: str, master: Sequence[str], worker: Sequence[str], workers: int
) -> list[Object]:
    """The objects of a run: master and `workers` workers with these arguments before those of the manifests."""
    made = [_renamed(item) for item in copy.deepcopy(list(rendered))]
    result = [item for item in made if item["kind"] not in ("Deployment", "Service")]
    for item in made:
        if item["kind"] == "Service":
            result.append(_internal(item))
        elif item["kind"] == "Deployment":
            is_master = item["metadata"]["name"] == MASTER
            result.append(_job(item, image, master if is_master else worker, 1 if is_master else workers))
    return result


def set_variables(objects: Iterable[Object], variables: Mapping[str, str]) -> None:
    """Gives every container these variables beside its own, and the name of the file for the records."""
    added = {**variables, "LOAD_RECORDS": RECORDS}
    for item in objects:
        if item["kind"] == "Job":
            container = item["spec"]["template"]["spec"]["containers"][0]
            kept = [variable for variable in container.get("env", []) if variable["name"] not in added]
            container["env"] = [*kept, *({"name": name, "value": value} for name, value in added.items())]


def _renamed(item: Object) -> Object:
    name = item["metadata"]["name"]
    if item["kind"] in ("Deployment", "Service"):
        item["metadata"]["name"] = NAMES[name]
        item["metadata"]["labels"][INSTANCE] = "run"
    return item


def _internal(service: Object) -> Object:
    """The Service for the workers alone: a run has no page."""
    service["spec"]["type"] = "ClusterIP"
    service["spec"]["selector"][INSTANCE] = "run"
    service["spec"]["ports"] = [port for port in service["spec"]["ports"] if port["name"] == "workers"]
    return service


def _job(deployment: Object, image: str, arguments: Sequence[str], pods: int) -> Object:
    template = deployment["spec"]["template"]
    template["metadata"]["labels"][INSTANCE] = "run"
    template["spec"]["restartPolicy"] = "Never"
    container = template["spec"]["containers"][0]
    container["image"] = image
    container["args"] = [*arguments, *_options(container["args"])]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": deployment["metadata"],
        "spec": {
            "parallelism": pods,
            "completions": pods,
            # A run that failed has measured something: another one would blur it.
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_SECONDS,
            "ttlSecondsAfterFinished": 3600,
            "template": template,
        },
    }


def _options(arguments: Sequence[str]) -> list[str]:
    """What page and run have in common."""
    of_the_page = ("locust", "--locustfile=", "--class-picker", "--master-host=", "--stop-timeout=")
    kept = [text for text in arguments if not text.startswith(of_the_page) and text != "--master"]
    return [*kept, f"--master-host={SERVICE}"] if "--worker" in kept else kept
