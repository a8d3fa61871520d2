"""Measure the memory of the telemetry stack and KEDA, idle and under load. Needs `drydock up --mode parity` first.

Idle is the memory before the load, under load the maximum during it. Both are the working set, which the kernel
compares with the limit; cAdvisor samples it every 10 to 15 s. The load exceeds the capacity of two pods, so the
autoscaler adds some, and the sum of all containers includes them.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import httpx2
from rich.console import Console
from rich.table import Table

from drydock.cluster import docker, registry
from drydock.cluster.kind import cluster_nodes
from drydock.cluster.stack import TELEMETRY
from drydock.core.errors import CannotRunError
from drydock.core.project import Project

MIB = 2**20
PARTS = (*sorted(TELEMETRY), "keda-operator", "keda-metrics-apiserver")
CONTAINERS = "|".join(PARTS)
HELD = f'container_memory_working_set_bytes{{container=~"{CONTAINERS}"}}'
LIMITS = f'kube_pod_container_resource_limits{{resource="memory",container=~"{CONTAINERS}"}}'
RESTARTS = f'increase(kube_pod_container_status_restarts_total{{container=~"{CONTAINERS}"}}[10m])'


def main() -> None:
    """Measure idle and under load, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=200, help="requests per second")
    parser.add_argument("--seconds", type=int, default=60, help="duration of the load in seconds")
    options = parser.parse_args()
    project = Project.find(Path(__file__).parent)
    prometheus = project.configuration.telemetry.kind.prometheus

    idle, whole_idle = by_part(prometheus, HELD), machine()
    drydock = str(Path(sys.executable).with_name("drydock"))
    load = ["smoke", "--rate", str(options.rate), "--seconds", str(options.seconds)]
    # A slow machine may lose requests and report it. That does not affect this measurement.
    if subprocess.run([drydock, *load], cwd=project.root, check=False).returncode == CannotRunError.exit_code:
        sys.exit(CannotRunError.exit_code)
    loaded = by_part(prometheus, f"max_over_time({HELD}[{options.seconds}s])")
    limits, restarts = by_part(prometheus, LIMITS), by_part(prometheus, RESTARTS)

    table = Table("part", "idle MiB", f"{options.rate} requests/s", "limit", "restarts", title="Memory")
    for part in PARTS:
        row = [mib(values.get(part)) for values in (idle, loaded, limits)]
        table.add_row(part, *row, f"{restarts.get(part, 0):.0f}")
    table.add_row("sum", *(mib(sum(values.values())) for values in (idle, loaded, limits)), "", style="bold")
    console = Console()
    console.print(table)
    console.print(
        f"All Drydock containers on this machine: {whole_idle:.0f} MiB idle, {machine():.0f} MiB after the load."
    )


def by_part(prometheus: str, expression: str) -> dict[str, float]:
    """The current value of each container."""
    query = {"query": f"max by (container) ({expression})"}
    answer = httpx2.get(f"{prometheus}/api/v1/query", params=query, timeout=10).raise_for_status().json()
    return {item["metric"]["container"]: float(item["value"][1]) for item in answer["data"]["result"]}


def machine() -> float:
    """The memory in MiB of the nodes, with everything on them, and of the registry."""
    stats = docker.docker("stats", "--no-stream", "--format", "{{.MemUsage}}", *cluster_nodes(), registry.NAME)
    return sum(as_mib(line.split(" / ")[0]) for line in stats.splitlines())


def as_mib(amount: str) -> float:
    """The MiB in an amount that Docker printed: 512.3MiB, 1.2GiB."""
    units = {"KiB": 1 / 1024, "MiB": 1, "GiB": 1024}
    return float(amount[:-3]) * units[amount[-3:]]


def mib(amount: float | None) -> str:
    """Bytes as MiB. A dash if there is no value."""
    return "-" if amount is None else f"{amount / MIB:.0f}"


if __name__ == "__main__":
    main()
