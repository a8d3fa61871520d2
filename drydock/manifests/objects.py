"""Rendered Kubernetes objects: finds them, iterates over pods and containers, resolves a container's environment."""

import base64
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

type Object = dict[str, Any]
type Findings = list[str]


class Pod(NamedTuple):
    """The pod template of a workload; `owner` is `Kind/name`."""

    owner: str
    spec: Object
    labels: dict[str, str]


class Container(NamedTuple):
    """A container of a pod template; `where` names it in messages."""

    where: str
    pod: Pod
    spec: Object


def of_kind(objects: list[Object], kind: str) -> list[Object]:
    """The objects of one kind."""
    return [item for item in objects if item["kind"] == kind]


def find(objects: list[Object], kind: str, name: str) -> Object:
    """The object of this kind and name. Raises LookupError if there is none."""
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
    """Every container of every workload, init containers included."""
    for pod in pods(objects):
        for spec in [*pod.spec.get("initContainers", []), *pod.spec["containers"]]:
            yield Container(f"{pod.owner}, container {spec['name']}", pod, spec)


def container(objects: list[Object], kind: str, name: str) -> Object:
    """The container with the same name as its workload."""
    spec = find(objects, kind, name)["spec"]["template"]["spec"]
    found: Object = next(item for item in spec["containers"] if item["name"] == name)
    return found


def environment(objects: list[Object], spec: Object) -> dict[str, str]:
    """A container's environment as the kubelet sets it, without the variables that only a running pod has."""
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
