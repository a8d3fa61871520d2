"""Rules of connections: all pods together stay under what Postgres allows."""

import re
from collections.abc import Callable, Iterator

from drydock.check.rule import Finding, Rule
from drydock.check.subject import RenderedWorkload, Subject
from drydock.core.project import Connections
from drydock.manifests.objects import Object, container, environment, find, of_kind
from drydock.manifests.scalers import scalers

SOURCE = "postgresql.org/docs/18/runtime-config-connection.html"
FILE = "k8s/base/{}/stateful-set.yaml"
LIMIT = re.compile(r"max_connections=(\d+)")


def max_connections(objects: list[Object], stateful_set: str) -> int | None:
    """What the server is started with, or None where that is left to its default."""
    match = LIMIT.search(" ".join(container(objects, "StatefulSet", stateful_set).get("args", [])))
    return int(match[1]) if match else None


def users(objects: list[Object], connections: Connections) -> Iterator[tuple[str, dict[str, str]]]:
    """Each Deployment that is given the database's address by `variable`, and its variables."""
    for item in of_kind(objects, "Deployment"):
        name = item["metadata"]["name"]
        variables = environment(objects, item["spec"]["template"]["spec"]["containers"][0])
        if connections.variable in variables:
            yield name, variables


def most_pods(objects: list[Object], name: str) -> int:
    """The most pods that can exist at once: all new ones of a rollout, beside all old ones that are still ending.

    The Deployment counts only what is not ending, so its maxSurge does not bound them. How many it wants is its
    replicas, or the autoscaler's most.
    """
    most = max([scaler.most for scaler in scalers(objects) if scaler.target == name], default=0)
    return 2 * int(most or find(objects, "Deployment", name)["spec"].get("replicas", 1))


def needed(objects: list[Object], connections: Connections) -> int:
    """The connections that may be asked for, in the middle of a rollout with a migration and every pool full."""
    asked = [trigger for item in of_kind(objects, "ScaledObject") for trigger in item["spec"]["triggers"]]
    count = sum(connections.others.values())
    count += connections.each_trigger * len([trigger for trigger in asked if trigger["type"] == "postgresql"])
    for name, variables in users(objects, connections):
        pool = int(variables.get(connections.pool_variable, connections.default_pool))
        count += most_pods(objects, name) * (pool + connections.beside_the_pool)
    return count


def _limit_is_set(database: RenderedWorkload) -> Finding:
    limit = max_connections(database.subject.objects, database.name)
    return Finding(limit is not None, f"max_connections {limit or 'left to its default'}", "Set max_connections.")


def _fits(database: RenderedWorkload) -> Finding:
    limit = max_connections(database.subject.objects, database.name) or 0
    count = needed(database.subject.objects, database.configuration.connections)
    remedy = "Lower the pools or the autoscalers' maximum, or raise max_connections."
    return Finding(count <= limit, f"clients may open {count} connections, Postgres allows {limit}", remedy)


def _rule(name: str, sentence: str, evaluate: Callable[[RenderedWorkload], Finding]) -> Rule:
    return Rule(f"connections/{name}", sentence, SOURCE, FILE, evaluate, Subject.database)


RULES = (
    _rule("limit-is-set", "Postgres has an explicit max_connections.", _limit_is_set),
    _rule("fit", "Postgres allows every pool to be full in the middle of a rollout.", _fits),
)
