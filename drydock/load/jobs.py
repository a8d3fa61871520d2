"""The Jobs that send requests on the kind cluster: one for each run, from the image `instrument`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from drydock.cluster import docker, images, registry
from drydock.cluster.namespace import Namespace
from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.system.processes import last_lines
from drydock.system.wait import wait_until

NAMESPACE = "load"
# A Job's time in addition to its sending: the first pull of the image, preparation, the last responses and last scrape.
MARGIN_SECONDS = 150
START_SECONDS = 120.0
# The normal reasons for which a container waits. Any other reason is a problem.
STARTING = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True)
class LoadJob:
    """The Job `name` in the namespace `load`. Its manifests are in `folder` below k8s/load."""

    platform: KindPlatform
    name: str
    folder: str

    @property
    def namespace(self) -> Namespace:
        """Where it runs."""
        return Namespace(self.platform.cluster, NAMESPACE)

    @property
    def follow_command(self) -> list[str]:
        """The command that prints its log until its end."""
        return self.namespace.command("logs", "--follow", f"job/{self.name}")

    def start(self, environment: Mapping[str, str], seconds: float, progress: Step) -> None:
        """Builds the image, deletes the Job of an earlier run, and starts one with these variables for `seconds`.

        Raises:
            CannotRunError: another run is active, or the pod does not start.
        """
        if self._active():
            remedy = f"Wait for it to end, or delete it: kubectl delete job {self.name} --namespace {NAMESPACE}"
            raise CannotRunError(f"another run of {self.name} is active", remedy)
        progress.detail = "building its image"
        image = publish_image(self.platform.project)
        progress.detail = "starting"
        self.remove()
        folder = self.platform.project.root / "k8s" / "load" / self.folder
        manifests = images.render(self.platform.programs["kubectl"], folder)
        adjust(manifests, image, environment, seconds)
        self.platform.cluster.apply("--filename", "-", stdin=yaml.safe_dump_all(manifests))
        if not wait_until(lambda: self._started(progress), START_SECONDS, interval=0.5):
            reason = f"the pod of {self.name} did not start: {progress.detail}"
            self.remove()
            raise CannotRunError(reason, f"kubectl get events --namespace {NAMESPACE}")
        progress.detail = image

    def remove(self) -> None:
        """Deletes the Job and waits until its pod is gone."""
        delete(self.namespace, "job", self.name)

    def _active(self) -> bool:
        found = self.namespace.get("jobs", "--field-selector", f"metadata.name={self.name}")["items"]
        return any(job["status"].get("active") for job in found)

    def _started(self, progress: Step) -> bool:
        """Whether the pod has started. Otherwise the step's detail is the reason for which it waits."""
        found = self.namespace.get("pods", "--selector", f"job-name={self.name}")["items"]
        pods = [pod["status"] for pod in found]
        progress.detail = waits_for(pods[0]) if pods else "no pod yet"
        return any(pod["phase"] != "Pending" for pod in pods)


def delete(namespace: Namespace, *chosen: str) -> None:
    """Deletes the chosen objects of the namespace, if they exist, and waits until their pods are gone."""
    options = ("--ignore-not-found", "--cascade=foreground", "--grace-period=1")
    namespace.call("delete", *chosen, *options)


def publish_image(project: Project) -> str:
    """Builds the image `instrument` and pushes it to the registry; returns its name, tagged with its digest."""
    built = docker.docker("build", "--quiet", "--target", "instrument", str(project.root)).strip()
    image = f"{registry.ADDRESS}/{images.BUILT_PREFIX}instrument:{built.removeprefix('sha256:')[:16]}"
    docker.docker("tag", built, image)
    docker.docker("push", "--quiet", image)
    return image


def adjust(manifests: list[Any], image: str, environment: Mapping[str, str], seconds: float) -> None:
    """Sets the image, the variables and the deadline of the Job among the manifests."""
    spec = next(item["spec"] for item in manifests if item["kind"] == "Job")
    spec["activeDeadlineSeconds"] = int(seconds) + MARGIN_SECONDS
    container = spec["template"]["spec"]["containers"][0]
    container["image"] = image
    kept = [variable for variable in container["env"] if variable["name"] not in environment]
    container["env"] = [*kept, *({"name": name, "value": value} for name, value in environment.items())]


def waits_for(status: Any) -> str:
    """The reason for which a pod with this status waits, as the kubelet or the scheduler reports it."""
    for container in status.get("containerStatuses") or []:
        waiting = container["state"].get("waiting") or {}
        if waiting.get("reason") not in STARTING and waiting:
            return last_lines(f"{waiting.get('reason')} {waiting.get('message', '')}".strip(), count=1)
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return str(condition.get("message") or condition.get("reason"))
    return "starting"
