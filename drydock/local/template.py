"""A Deployment's pod template as processes of this machine can follow it: command, environment, probes, shutdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import yaml

from drydock.core.project import Project
from drydock.local.runtime import serve_command
from drydock.manifests import env_file
from drydock.manifests.probes import FAILURE_THRESHOLD, PERIOD_SECONDS, TIMEOUT_SECONDS
from drydock.manifests.shutdown_budget import Budget
from drydock.system.ports import LOOPBACK


@dataclass(frozen=True)
class Probe:
    """Seconds, but for `threshold`, which counts failures in a row."""

    path: str
    period: float
    timeout: float
    threshold: int
    delay: float

    @classmethod
    def of(cls, spec: Mapping[str, Any] | None) -> Self | None:
        """Reads a probe that asks by HTTP; None where there is none."""
        if not spec or "httpGet" not in spec:
            return None
        return cls(
            spec["httpGet"]["path"],
            float(spec.get("periodSeconds", PERIOD_SECONDS)),
            float(spec.get("timeoutSeconds", TIMEOUT_SECONDS)),
            int(spec.get("failureThreshold", FAILURE_THRESHOLD)),
            float(spec.get("initialDelaySeconds", 0)),
        )


@dataclass(frozen=True)
class Template:
    """The parts of a pod template that the local platform follows."""

    deployment: Mapping[str, Any]
    project: Project
    dsn: str

    @property
    def spec(self) -> Mapping[str, Any]:
        """The pod's spec."""
        spec: Mapping[str, Any] = self.deployment["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> Mapping[str, Any]:
        """The service's container."""
        name = self.project.configuration.workload.container
        return next(it for it in self.spec["containers"] if it["name"] == name)

    @property
    def budget(self) -> Budget:
        """The shutdown's budget."""
        configuration = self.project.configuration
        return Budget.of(self.spec, configuration.workload.container, self.variables, configuration.shutdown)

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the manifests that have a value; the database's address is the embedded one's.

        A value with a reference $(NAME) is an address inside the cluster; the local platform collects no telemetry.
        """
        from_file = env_file.read(self.project.root / self.project.configuration.local.variables)
        set_here = {it["name"]: str(it["value"]) for it in self.container.get("env", []) if "value" in it}
        literal = {
            name: value for name, value in set_here.items() if "$(" not in value and not name.startswith("OTEL_")
        }
        return {**dict(from_file), self.project.configuration.connections.variable: self.dsn, **literal}

    def identity(self, pod: str) -> dict[str, str]:
        """The variables that the downward API sets to the name of a pod."""
        references = {it["name"]: it.get("valueFrom", {}).get("fieldRef", {}) for it in self.container.get("env", [])}
        return {name: pod for name, field in references.items() if field.get("fieldPath") == "metadata.name"}

    def probe(self, kind: str) -> Probe | None:
        """`startupProbe`, `livenessProbe` or `readinessProbe`."""
        return Probe.of(self.container.get(kind))

    def command(self, port: int) -> list[str]:
        """The container's command, or the image's, with a port of its own on the loopback interface."""
        words = [*self.container.get("command", []), *self.container.get("args", [])]
        if not words:
            return serve_command(self.project, port)
        there = str(self.container["ports"][0]["containerPort"])
        return [word.replace(there, str(port)).replace("0.0.0.0", LOOPBACK) for word in words]  # noqa: S104 - replaced


def read(project: Project) -> dict[str, Any]:
    """The service's Deployment, from the manifest that drydock.toml names."""
    loaded: dict[str, Any] = yaml.safe_load((project.root / project.configuration.local.deployment).read_text())
    return loaded
