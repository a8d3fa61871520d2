"""Connections: all pods together stay under what Postgres allows."""

import re
from collections.abc import Iterator

from tests.manifests.rules.objects import Findings, Object, container, environment, find, of_kind
from tests.manifests.rules.scalers import scalers

# app/schema.py keeps one connection for the readiness checks beside the pool.
READINESS = 1
# app/migrations holds its lock on one connection and works on another.
MIGRATION = 2
# postgres-exporter keeps one to ask and opens another to look at each database.
EXPORTER = 3
# KEDA's operator keeps one, and opens another when a ScaledObject changes.
KEDA = 2
# superuser_reserved_connections, PostgreSQL 18's default.
RESERVED = 3


def max_connections(command: list[str]) -> int:
    """What the server is started with. Raises LookupError where that is left to its default."""
    match = re.search(r"max_connections=(\d+)", " ".join(command))
    if match is None:
        raise LookupError("max_connections is not set")
    return int(match[1])


def users(objects: list[Object]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each Deployment of the service that is given the database's address, and its variables."""
    for item in of_kind(objects, "Deployment"):
        name = item["metadata"]["name"]
        variables = environment(objects, container(objects, "Deployment", name))
        if "DATABASE_URL" in variables:
            yield name, variables


def most_pods(objects: list[Object], name: str) -> int:
    """The most pods that can exist at once: all new ones of a rollout, beside all old ones that are still ending.

    The Deployment counts only what is not ending, so its maxSurge does not bound them. How many it wants is its
    replicas, or the autoscaler's most.
    """
    most = max([scaler.most for scaler in scalers(objects) if scaler.target == name], default=0)
    return 2 * int(most or find(objects, "Deployment", name)["spec"]["replicas"])


def asked_by_keda(objects: list[Object]) -> int:
    """The connections of triggers that ask the database."""
    triggers = [trigger for item in of_kind(objects, "ScaledObject") for trigger in item["spec"]["triggers"]]
    return KEDA * len([trigger for trigger in triggers if trigger["type"] == "postgresql"])


def budget_fits(objects: list[Object], default_pool: int) -> Findings:
    """Even in the middle of a rollout with a migration, every pool can be full."""
    needed = MIGRATION + EXPORTER + RESERVED + asked_by_keda(objects)
    for name, variables in users(objects):
        per_pod = int(variables.get("DATABASE_POOL_SIZE", default_pool)) + READINESS
        needed += most_pods(objects, name) * per_pod
    allowed = max_connections(container(objects, "StatefulSet", "postgres")["args"])
    return [] if needed <= allowed else [f"{needed} connections may be asked for, Postgres allows {allowed}"]
