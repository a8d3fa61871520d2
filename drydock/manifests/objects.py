"""Reading rendered Kubernetes objects: finding one, walking its containers, knowing a container's environment."""

import base64
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

type Object = dict[str, Any]
type Findings = list[str]


class Pod(NamedTuple):
    """A pod as its owner describes it."""

    owner: str
    spec: Object
    labels: dict[str, str]


class Container(NamedTuple):
    """A container, and where it is."""

    where: str
    pod: Pod
    spec: Object


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """Every object of a kind."""
    return [item for item in objects if item["kind"] == kind]


def find(objects: list[Object], kind: str, name: str) -> Object:
    """The one object of this kind and name. Raises LookupError when there is none."""
    for item in of_kind(objects, kind):
        if item["metadata"]["name"] == name:
            return item
    raise LookupError(f"no {kind}/{name} among the rendered objects")


def pods(objects: list[Object]) -> Iterator[Pod]:
    """The pod template of every workload."""
    for item in objects:
        template = item.get("spec", {}).get("template")
        if template:
            owner = f"{item['kind']}/{item['metadata']['name']}"
            yield Pod(owner, template["spec"], template["metadata"].get("labels", {}))


def containers(objects: list[Object]) -> Iterator[Container]:
    """Every container of every workload, those that initialise included."""
    for pod in pods(objects):
        for spec in [*pod.spec.get("initContainers", []), *pod.spec["containers"]]:
            yield Container(f"{pod.owner}, container {spec['name']}", pod, spec)


def container(objects: list[Object], kind: str, name: str) -> Object:
    """The container of the workload that bears the workload's own name."""
    spec = find(objects, kind, name)["spec"]["template"]["spec"]
    found: Object = next(item for item in spec["containers"] if item["name"] == name)
    return found


def environment(objects: list[Object], spec: Object) -> dict[str, str]:
    """A container's variables as the kubelet would set them, but for those that only a running pod has."""
    variables: dict[str, str] = {}
    for source in spec.get("envFrom", []):
        if "configMapRef" in source:
            variables |= find(objects, "ConfigMap", source["configMapRef"]["name"])["data"]
        if "secretRef" in source:
            data = find(objects, "Secret", source["secretRef"]["name"])["data"]
            variables |= {key: base64.b64decode(value).decode() for key, value in data.items()}
    for item in spec.get("env", []):
        if "value" in item:
            variables[item["name"]] = _expand(item["value"], variables)
    return variables


def _expand(value: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda reference: variables[reference[1]], value)
