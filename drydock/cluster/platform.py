"""The kind platform: starts tools, images, registry, cluster and Tilt in the order of their dependencies."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from drydock.cluster import addons, autoscaler_choice, images, registry
from drydock.cluster.kind import Cluster, cluster_nodes
from drydock.cluster.stack import Part, Stack
from drydock.cluster.tilt import Tilt, stop_tilt
from drydock.core.console import step
from drydock.core.project import Project
from drydock.pinned import tools
from drydock.system.lock import exclusive


@dataclass(frozen=True)
class KindPlatform:
    """The service of `project` on the kind cluster, at the address platforms.kind of drydock.toml."""

    project: Project

    @property
    def url(self) -> str:
        """The address of the service: the node port of its Service."""
        return self.project.configuration.platforms.kind

    @cached_property
    def programs(self) -> dict[str, Path]:
        """The paths of kind, kubectl and Tilt by name. Missing programs are downloaded."""
        return {tool.name: tools.obtain(tool) for tool in tools.TOOLS}

    @property
    def cluster(self) -> Cluster:
        """The cluster, which may not exist yet."""
        return Cluster(self.programs["kind"], self.programs["kubectl"], self.project.kubeconfig)

    @property
    def tilt(self) -> Tilt:
        """The Tilt of this checkout. It reaches drydock's cluster alone."""
        environment = {**tools.environment(list(self.programs.values())), **self.cluster.environment()}
        return Tilt(self.programs["tilt"], self.project.root, self.project.state, environment)

    def prepare(self, stack: Stack) -> None:
        """Brings up everything that Tilt needs. Each step is idempotent: a second call resumes an interrupted one."""
        with exclusive():
            with step("tools") as progress:
                progress.detail = ", ".join(f"{tool.name} {tool.version}" for tool in tools.TOOLS if self.programs)
            with step("releases") as progress:
                folders = addons.assemble(self.project, progress, addons.wanted(stack))
            with step("images") as progress:
                pinned = images.pinned(self.project.root, self.programs["kubectl"], folders)
                images.pull_missing(tuple({*pinned.engine, registry.IMAGE}), progress)
            with step("registry") as progress:
                registry.start()
                registry.push_missing(pinned.cluster, progress)
            with step("cluster") as progress:
                self.cluster.ensure(self.project.kind_configuration, progress)
            with step("registry connected to the cluster"):
                self.cluster.connect_registry()
            self._install(folders, stack)
        self._leave_out(stack.without)

    def bring_addons(self, stack: Stack) -> None:
        """Installs the add-ons of `stack` on the running cluster, for a Tilt that was started without `drydock up`."""
        with exclusive():
            with step("releases") as progress:
                folders = addons.assemble(self.project, progress, addons.wanted(stack))
            with step("images") as progress:
                kubectl = self.programs["kubectl"]
                needed = {name for folder in folders for name in images.in_manifests(images.render(kubectl, folder))}
                images.pull_missing(tuple(needed), progress)
                registry.push_missing(tuple(needed), progress)
            self._install(folders, stack)

    def _install(self, folders: list[Path], stack: Stack) -> None:
        for folder in folders:
            with step(f"{folder.name} on the cluster"):
                addons.install(self.cluster, folder)
        with step(f"autoscaler, by {stack.autoscaling}") as progress:
            autoscaler_choice.remove_others(
                self.cluster, self.project.configuration.workload.namespace, stack.autoscaling
            )
            if Part.KEDA in stack.without:
                addons.remove_keda(self.cluster, self.project, progress)

    def _leave_out(self, parts: tuple[Part, ...]) -> None:
        """Deletes these parts if an earlier start deployed them, because Tilt does not delete them."""
        if parts:
            selector = f"app.kubernetes.io/name in ({','.join(parts)})"
            self.cluster.call("delete", "deployments,services", "--all-namespaces", "--selector", selector)

    def remove(self, *, force: bool = False) -> bool:
        """Stops Tilt and deletes the cluster; False if neither was there. The registry stays as an image cache.

        Raises:
            CannotRunError: another checkout created the cluster, or an unknown one, unless `force`.
        """
        with exclusive():
            if not force:
                self.cluster.refuse_another_checkout()
            stopped = stop_tilt(self.project.root)
            if not cluster_nodes():
                return stopped
            with step("deleting the cluster"):
                self.cluster.delete()
            return True
