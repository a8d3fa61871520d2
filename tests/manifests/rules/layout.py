"""Layout: a manifest is a short file with one object in a fixed order of keys, and every file is used."""

import re
from pathlib import Path

import yaml

from drydock.manifests.objects import Findings

KEY_ORDER = [
    "apiVersion",
    "kind",
    "metadata",
    "automountServiceAccountToken",
    "roleRef",
    "rules",
    "spec",
    "subjects",
]
CONTAINER_ORDER = [
    "name",
    "image",
    "imagePullPolicy",
    "command",
    "args",
    "ports",
    "envFrom",
    "env",
    "startupProbe",
    "livenessProbe",
    "readinessProbe",
    "lifecycle",
    "resources",
    "securityContext",
    "volumeMounts",
]


def one_object_a_file(files: dict[Path, str]) -> Findings:
    """A file holds one object, and its keys come in the fixed order."""
    findings = []
    for path, text in files.items():
        documents = [document for document in yaml.safe_load_all(text) if document]
        if len(documents) != 1:
            findings.append(f"{path} holds {len(documents)} objects")
            continue
        findings += _in_order(path, list(documents[0]), KEY_ORDER)
        for container in documents[0].get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            findings += _in_order(path, list(container), CONTAINER_ORDER)
    return findings


def every_file_used(files: dict[Path, str], kustomizations: dict[Path, str]) -> Findings:
    """Every manifest is named by the kustomization of its room."""
    named = {
        (path.parent / entry).resolve()
        for path, text in kustomizations.items()
        for entry in re.findall(r"[\w./-]+\.yaml", text)
    }
    return [f"{path} is named by no kustomization" for path in files if path.resolve() not in named]


def no_secret_in_git(files: dict[Path, str]) -> Findings:
    """A Secret is generated, never written down as a manifest."""
    return [f"{path} is a Secret" for path, text in files.items() if yaml.safe_load(text).get("kind") == "Secret"]


def _in_order(path: Path, keys: list[str], order: list[str]) -> Findings:
    unknown = [key for key in keys if key not in order]
    if unknown:
        return [f"{path} has {unknown}, whose place is not fixed"]
    expected = sorted(keys, key=order.index)
    return [] if keys == expected else [f"{path} has {keys}, the order is {expected}"]
