"""The kind platform: tools, images, registry, cluster and Tilt, in the order in which each needs the one before."""

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
        """Where the service answers: through its Service, by the node port."""
        return self.project.configuration.platforms.kind

    @cached_property
    def programs(self) -> dict[str, Path]:
        """kind, kubectl and Tilt by name, downloaded if need be."""
        return {tool.name: tools.obtain(tool) for tool in tools.TOOLS}

    @property
    def cluster(self) -> Cluster:
        """The cluster, whether it exists or not."""
        return Cluster(self.programs["kind"], self.programs["kubectl"], self.project.kubeconfig)

    @property
    def tilt(self) -> Tilt:
        """The Tilt of this checkout, which reaches our cluster and no other."""
        environment = {**tools.environment(list(self.programs.values())), **self.cluster.environment()}
        return Tilt(self.programs["tilt"], self.project.root, self.project.state, environment)

    def prepare(self, stack: Stack) -> None:
        """Brings up what Tilt needs. Each step does only what is missing, so an interrupted run is resumed."""
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
            with step("registry known to the cluster"):
                self.cluster.know_registry()
            self._install(folders, stack)
        self._leave_out(stack.without)

    def bring_addons(self, stack: Stack) -> None:
        """Brings the add-ons of the running cluster to what `stack` wants, for a Tilt that was started without `up`."""
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
        """Removes what an earlier start deployed of these parts: Tilt itself only adds."""
        if parts:
            selector = f"app.kubernetes.io/name in ({','.join(parts)})"
            self.cluster.call("delete", "deployments,services", "--all-namespaces", "--selector", selector)

    def remove(self) -> bool:
        """Stops Tilt and deletes the cluster; False where there was neither. The registry, our image cache, stays."""
        with exclusive():
            stopped = stop_tilt(self.project.root)
            if not cluster_nodes():
                return stopped
            with step("deleting the cluster"):
                self.cluster.delete()
            return True
