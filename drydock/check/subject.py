"""What the check reads: an overlay as it is rendered, compose.yaml, the Dockerfile and drydock.toml."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import yaml

from drydock.cluster import images
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project, Workload
from drydock.manifests import patches
from drydock.manifests.objects import Object, environment, find, of_kind
from drydock.manifests.scalers import Scaler, scalers
from drydock.manifests.shutdown_budget import Budget
from drydock.pinned import tools

# The autoscaler that the Tiltfile adds to an overlay (drydock/cluster/stack.py).
AUTOSCALERS = {"dev": "one", "dev-small": "one"}
DEFAULT_AUTOSCALER = "keda"
COMMAND = re.compile(r"^CMD\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Subject:
    """An overlay of a project, rendered with its autoscaler."""

    project: Project
    overlay: str
    objects: list[Object]
    compose: Mapping[str, Any]
    dockerfile: str

    @classmethod
    def render(cls, project: Project, overlay: str, against: str | None = None) -> Self:
        """Renders it, with the patch `against` (of k8s/controls, or a file) laid over the Deployment.

        Raises:
            CannotRunError: there is no such overlay or patch, or it does not render.
        """
        overlays = project.root / "k8s" / "overlays"
        if not (overlays / overlay).is_dir():
            names = ", ".join(sorted(it.name for it in overlays.iterdir()))
            raise CannotRunError(f"there is no overlay {overlay!r}", f"Say one of: {names}")
        folder = _kustomization(project, overlay, against)
        try:
            objects = images.render(tools.obtain(tools.KUBECTL), folder)
        except FailedError as error:
            raise CannotRunError(f"k8s/overlays/{overlay} does not render: {error.reason}") from error
        compose = yaml.safe_load((project.root / "compose.yaml").read_text())
        return cls(project, overlay, list(objects), compose, (project.root / "Dockerfile").read_text())

    @property
    def workload(self) -> Workload:
        """The service's names."""
        return self.project.configuration.workload

    @cached_property
    def deployment(self) -> Object:
        """The service's Deployment. Raises LookupError where there is none."""
        return find(self.objects, "Deployment", self.workload.deployment)

    @property
    def pod(self) -> Object:
        """The spec of its pods."""
        spec: Object = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Object:
        """The service's container."""
        found: Object = next(it for it in self.pod["containers"] if it["name"] == self.workload.container)
        return found

    @cached_property
    def variables(self) -> dict[str, str]:
        """The container's environment."""
        return environment(self.objects, self.container)

    @cached_property
    def budget(self) -> Budget:
        """The shutdown's budget."""
        return Budget.of(self.pod, self.workload.container, self.variables, self.project.configuration.shutdown)

    @cached_property
    def scaler(self) -> Scaler | None:
        """What scales the service."""
        return next((it for it in scalers(self.objects) if it.target == self.workload.deployment), None)

    @property
    def fewest_pods(self) -> int:
        """How many pods there are at the least."""
        return self.scaler.fewest if self.scaler else int(self.deployment["spec"].get("replicas", 1))

    @property
    def disruption_budgets(self) -> list[Object]:
        """The PodDisruptionBudgets whose selector is the Deployment's."""
        labels = self.deployment["spec"]["selector"]["matchLabels"]
        found = of_kind(self.objects, "PodDisruptionBudget")
        return [it for it in found if it["spec"]["selector"].get("matchLabels") == labels]

    @property
    def command(self) -> list[str]:
        """What the container runs: the manifest's command and arguments, or else the image's."""
        said = [*self.container.get("command", []), *self.container.get("args", [])]
        return said or self.image_command

    @property
    def image_command(self) -> list[str]:
        """The image's command in exec form; empty where it is in shell form, or missing."""
        found = COMMAND.findall(self.dockerfile)
        text = found[-1] if found else ""
        return list(yaml.safe_load(text)) if text.startswith("[") else []

    @property
    def compose_service(self) -> Mapping[str, Any]:
        """The service in compose.yaml, which is called as the container."""
        service: Mapping[str, Any] = self.compose["services"].get(self.workload.container, {})
        return service

    @property
    def compose_variables(self) -> dict[str, str]:
        """The environment of the service in compose: its env files in their order, then its own."""
        variables: dict[str, str] = {}
        for name in self.compose_service.get("env_file", []):
            for line in (self.project.root / name).read_text().splitlines():
                if line and not line.startswith("#"):
                    key, _, value = line.partition("=")
                    variables[key] = re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], ""), value)
        return variables | {key: str(value) for key, value in self.compose_service.get("environment", {}).items()}


def _kustomization(project: Project, overlay: str, against: str | None) -> Path:
    """A folder that renders the overlay with its autoscaler, and with the patch."""
    folder = project.state / "check"
    folder.mkdir(parents=True, exist_ok=True)
    autoscaler = AUTOSCALERS.get(overlay, DEFAULT_AUTOSCALER)
    content: dict[str, Any] = {
        "resources": [f"../../k8s/overlays/{overlay}", f"../../k8s/autoscaling/{autoscaler}"],
    }
    if against is not None:
        name = project.configuration.workload.deployment
        head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}
        patch = yaml.safe_dump({**head, **patches.control(project, against)})
        content["patches"] = [{"patch": patch, "target": {"kind": "Deployment", "name": name}}]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return folder
