"""What the check reads: an overlay as it is rendered, compose.yaml, the Dockerfile and drydock.toml."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import yaml

from drydock.cluster import images
from drydock.cluster.stack import Mode, Stack
from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Configuration, Project
from drydock.manifests import env_file, patches
from drydock.manifests.objects import Object, environment, find, of_kind
from drydock.manifests.scalers import scalers
from drydock.manifests.shutdown_budget import Budget
from drydock.pinned import tools

COMMAND = re.compile(r"^CMD\s+(.*)$", re.MULTILINE)
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@dataclass(frozen=True)
class RenderedWorkload:
    """A Deployment, StatefulSet or Job of a subject, and the one of its containers that the rules look at."""

    subject: "Subject"
    item: Object
    container_name: str

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.item["metadata"]["name"])

    @property
    def configuration(self) -> Configuration:
        """drydock.toml."""
        return self.subject.project.configuration

    @property
    def pod(self) -> Object:
        """The spec of its pods."""
        spec: Object = self.item["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Object:
        """The container's spec."""
        found: Object = next(it for it in self.pod["containers"] if it["name"] == self.container_name)
        return found

    @property
    def variables(self) -> dict[str, str]:
        """The container's environment."""
        return environment(self.subject.objects, self.container)

    @property
    def command(self) -> list[str]:
        """What the container runs: the manifest's command and arguments, or else the image's."""
        written = [*self.container.get("command", []), *self.container.get("args", [])]
        return written or image_command(self.subject.dockerfile)

    def probe(self, kind: str) -> Object:
        """One of `PROBES`; empty where the container has none."""
        return self.container.get(kind) or {}

    @property
    def behind_a_service(self) -> bool:
        """Whether a Service sends requests to its pods, as one does to those that drydock.toml names."""
        labels = self.item["spec"]["template"]["metadata"].get("labels", {})
        selectors = [it["spec"].get("selector") for it in of_kind(self.subject.objects, "Service")]
        selected = any(selector and selector.items() <= labels.items() for selector in selectors)
        return selected or self.name == self.configuration.workload.deployment

    @property
    def budget(self) -> Budget:
        """The shutdown's budget. Without a Service there is no backlog of connections to work off."""
        shutdown = self.configuration.shutdown
        if not self.behind_a_service:
            shutdown = shutdown.model_copy(update={"backlog_seconds": 0.0})
        return Budget.of(self.pod, self.container_name, self.variables, shutdown)

    @property
    def fewest_pods(self) -> int:
        """The least number of pods: the autoscaler's, or else the replicas."""
        scaler = next((it for it in scalers(self.subject.objects) if it.target == self.name), None)
        return scaler.fewest if scaler else int(self.item["spec"].get("replicas", 1))

    @property
    def disruption_budgets(self) -> list[Object]:
        """The PodDisruptionBudgets whose selector is the Deployment's."""
        labels = self.item["spec"]["selector"]["matchLabels"]
        found = of_kind(self.subject.objects, "PodDisruptionBudget")
        return [it for it in found if it["spec"]["selector"].get("matchLabels") == labels]

    @property
    def compose_service(self) -> Mapping[str, Any]:
        """The service in compose.yaml that has the container's name; empty where there is none."""
        service: Mapping[str, Any] = self.subject.compose["services"].get(self.container_name, {})
        return service

    @property
    def compose_variables(self) -> dict[str, str]:
        """The environment of that service: its env files in their order, then its own."""
        variables: dict[str, str] = {}
        for name in self.compose_service.get("env_file", []):
            for key, value in env_file.read(self.subject.project.root / name):
                variables[key] = re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], ""), value)
        return variables | {key: str(value) for key, value in self.compose_service.get("environment", {}).items()}


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
            raise CannotRunError(f"there is no overlay {overlay!r}", f"Choose one of: {names}")
        kubectl = tools.obtain(tools.KUBECTL)
        # A folder of its own: two checks at once would render each other's patch.
        with TemporaryDirectory(prefix="drydock-check-") as folder:
            rendered = _kustomization(project, Path(folder).resolve(), overlay, against)
            try:
                objects = images.render(kubectl, rendered)
            except FailedError as error:
                raise CannotRunError(f"k8s/overlays/{overlay} does not render: {error.reason}") from error
        compose = yaml.safe_load((project.root / "compose.yaml").read_text())
        return cls(project, overlay, list(objects), compose, (project.root / "Dockerfile").read_text())

    @property
    def service(self) -> RenderedWorkload:
        """The Deployment that drydock.toml names. Raises LookupError where there is none."""
        names = self.project.configuration.workload
        return RenderedWorkload(self, find(self.objects, "Deployment", names.deployment), names.container)

    def workloads(self) -> list[RenderedWorkload]:
        """The service, and its workers: the other Deployments that run the service's image."""
        image = self.service.container["image"]
        deployments = [it for it in self._others() if it.item["kind"] == "Deployment"]
        return [self.service, *(it for it in deployments if it.container["image"] == image)]

    def behind_a_service(self) -> list[RenderedWorkload]:
        """Those of `workloads` to which a Service sends requests."""
        return [it for it in self.workloads() if it.behind_a_service]

    def probed(self) -> list[RenderedWorkload]:
        """Those of `workloads` that answer over HTTP: behind a Service, or with an HTTP probe already."""
        return [
            it for it in self.workloads() if it.behind_a_service or any("httpGet" in it.probe(kind) for kind in PROBES)
        ]

    def composed(self) -> list[RenderedWorkload]:
        """The service, and every other workload that has a service of its name in compose.yaml."""
        return [self.service, *(it for it in self._others() if it.compose_service)]

    def database(self) -> list[RenderedWorkload]:
        """The StatefulSet of the pod that drydock.toml's [audit] names. Raises LookupError where there is none."""
        name = self.project.configuration.audit.pod.rpartition("-")[0]
        return [RenderedWorkload(self, find(self.objects, "StatefulSet", name), name)]

    def _others(self) -> list[RenderedWorkload]:
        """Each container of each workload but the service's."""
        service = self.service.item
        return [
            RenderedWorkload(self, item, container["name"])
            for item in self.objects
            if "template" in item.get("spec", {}) and item is not service
            for container in item["spec"]["template"]["spec"]["containers"]
        ]


def image_command(dockerfile: str) -> list[str]:
    """The image's command in exec form; empty where it is in shell form, or missing."""
    found = COMMAND.findall(dockerfile)
    text = found[-1] if found else ""
    return list(yaml.safe_load(text)) if text.startswith("[") else []


def _kustomization(project: Project, folder: Path, overlay: str, against: str | None) -> Path:
    """Writes what renders the overlay with its autoscaler, and with the patch; returns `folder`."""
    manifests = Path(os.path.relpath(project.root / "k8s", folder))  # kustomize takes no absolute path
    mode = Mode.DEV if overlay.split("-")[0] == Mode.DEV else Mode.PARITY
    content: dict[str, Any] = {
        "resources": [str(manifests / "overlays" / overlay), str(manifests / "autoscaling" / Stack(mode).autoscaling)],
    }
    if against is not None:
        name = project.configuration.workload.deployment
        head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}}
        patch = yaml.safe_dump({**head, **patches.control(project, against)})
        content["patches"] = [{"patch": patch, "target": {"kind": "Deployment", "name": name}}]
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return folder
