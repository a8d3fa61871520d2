"""A strategic merge patch, as `kubectl patch` lays it over a Deployment: as far as the patches of drills need it.

Rules: kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch. Maps are merged, null removes
a key, lists of objects are merged by the key below, every other list is replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Any

# The patchMergeKey of each list in a pod's spec.
KEYS = {"containers": "name", "initContainers": "name", "env": "name", "volumes": "name"}
KEYS |= {"ports": "containerPort", "volumeMounts": "mountPath"}


def merged(value: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The value with the patch laid over it; neither is changed."""
    result = dict(value)
    for name, change in patch.items():
        before = result.get(name)
        if change is None:
            result.pop(name, None)
        elif isinstance(change, Mapping):
            result[name] = merged(before if isinstance(before, Mapping) else {}, change)
        elif isinstance(change, Sequence) and not isinstance(change, str) and name in KEYS:
            result[name] = _merged_list(before or [], change, KEYS[name])
        else:
            result[name] = change
    return _with_one_source(result, patch)


def _merged_list(before: Sequence[Any], changes: Sequence[Any], key: str) -> list[Any]:
    result = {item[key]: item for item in before}
    for change in changes:
        if change.get("$patch") == "delete":
            result.pop(change[key], None)
        else:
            result[change[key]] = merged(result.get(change[key], {}), change)
    return list(result.values())


def _with_one_source(result: dict[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """A variable has a value or a source, not both: the patch's wins."""
    if "value" in patch:
        result.pop("valueFrom", None)
    return result
