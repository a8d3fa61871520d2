"""What scales the worker asks the queue as the worker itself does, and reaches it."""

from app.receipts.queue import DEPTH, ENTRYPOINT
from drydock.manifests.objects import Object, container, environment, find


def trigger(objects: list[Object]) -> dict[str, str]:
    """What KEDA is told of the queue."""
    (only,) = find(objects, "ScaledObject", "receipts")["spec"]["triggers"]
    metadata: dict[str, str] = only["metadata"]
    return metadata


def test_keda_counts_what_the_worker_counts(parity: list[Object]) -> None:
    """The worker's own query gives the age of the oldest job beside the number: the rest is the same."""
    condition = f"WHERE entrypoint = '{ENTRYPOINT}' AND status IN ('queued', 'picked')"
    assert condition in DEPTH
    assert trigger(parity)["query"] == f"SELECT count(*) FROM pgqueuer {condition}"  # noqa: S608 - it is compared, not run


def test_keda_asks_the_database_that_the_worker_uses(parity: list[Object]) -> None:
    told, variables = trigger(parity), environment(parity, container(parity, "Deployment", "receipts"))
    assert told["passwordFromEnv"] in variables
    host = told["host"].removesuffix(".shop")  # from another namespace
    address = f"{told['userName']}:{variables[told['passwordFromEnv']]}@{host}:{told['port']}/{told['dbName']}"
    assert variables["DATABASE_URL"] == f"postgresql://{address}"


def test_postgres_lets_the_worker_and_keda_in(parity: list[Object]) -> None:
    (rule,) = find(parity, "NetworkPolicy", "postgres")["spec"]["ingress"]
    here, there = rule["from"]
    assert "receipts" in here["podSelector"]["matchExpressions"][0]["values"]
    assert there["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "keda"}
    assert there["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "keda-operator"}
