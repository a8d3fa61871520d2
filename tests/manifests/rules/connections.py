"""Connections: all pods together stay under what Postgres allows."""

import re

from tests.manifests.rules.objects import Findings, Object, container, environment, find
from tests.manifests.rules.scalers import scalers

# app/schema.py keeps one connection for the readiness checks beside the pool.
READINESS = 1
# app/migrations holds its lock on one connection and works on another.
MIGRATION = 2
# postgres-exporter keeps one to ask and opens another to look at each database.
EXPORTER = 3
# superuser_reserved_connections, PostgreSQL 18's default.
RESERVED = 3


def max_connections(command: list[str]) -> int:
    """What the server is started with. Raises LookupError where that is left to its default."""
    match = re.search(r"max_connections=(\d+)", " ".join(command))
    if match is None:
        raise LookupError("max_connections is not set")
    return int(match[1])


def most_pods(objects: list[Object]) -> int:
    """The most pods that can exist at once: all new ones of a rollout, beside all old ones that are still ending.

    The Deployment counts only what is not ending, so its maxSurge does not bound them. How many it wants is its
    replicas, or the autoscaler's most.
    """
    most = max([scaler.most for scaler in scalers(objects) if scaler.target == "shop"], default=0)
    return 2 * int(most or find(objects, "Deployment", "shop")["spec"]["replicas"])


def budget_fits(objects: list[Object], default_pool: int) -> Findings:
    """Even in the middle of a rollout with a migration, every pool can be full."""
    variables = environment(objects, container(objects, "Deployment", "shop"))
    per_pod = int(variables.get("DATABASE_POOL_SIZE", default_pool)) + READINESS
    needed = most_pods(objects) * per_pod + MIGRATION + EXPORTER + RESERVED
    allowed = max_connections(container(objects, "StatefulSet", "postgres")["args"])
    return [] if needed <= allowed else [f"{needed} connections may be asked for, Postgres allows {allowed}"]
