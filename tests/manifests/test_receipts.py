"""The worker's autoscaler queries the queue in the same way as the worker, and can reach the database."""

from app.receipts.queue import DEPTH, ENTRYPOINT
from drydock.manifests.objects import Object, container, environment, find


def trigger(objects: list[Object]) -> dict[str, str]:
    """The metadata of KEDA's trigger on the queue."""
    (only,) = find(objects, "ScaledObject", "receipts")["spec"]["triggers"]
    metadata: dict[str, str] = only["metadata"]
    return metadata


def test_keda_counts_what_the_worker_counts(parity: list[Object]) -> None:
    """The worker's own query also returns the age of the oldest job. The condition must be the same."""
    condition = f"WHERE entrypoint = '{ENTRYPOINT}' AND status IN ('queued', 'picked')"
    assert condition in DEPTH
    assert trigger(parity)["query"] == f"SELECT count(*) FROM pgqueuer {condition}"  # noqa: S608 - it is compared, not run


def test_keda_queries_the_worker_s_database(parity: list[Object]) -> None:
    settings, variables = trigger(parity), environment(parity, container(parity, "Deployment", "receipts"))
    assert settings["passwordFromEnv"] in variables
    host = settings["host"].removesuffix(".shop")  # from another namespace
    password = variables[settings["passwordFromEnv"]]
    address = f"{settings['userName']}:{password}@{host}:{settings['port']}/{settings['dbName']}"
    assert variables["DATABASE_URL"] == f"postgresql://{address}"


def test_the_network_policy_of_postgres_admits_the_worker_and_keda(parity: list[Object]) -> None:
    (rule,) = find(parity, "NetworkPolicy", "postgres")["spec"]["ingress"]
    here, there = rule["from"]
    assert "receipts" in here["podSelector"]["matchExpressions"][0]["values"]
    assert there["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "keda"}
    assert there["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "keda-operator"}
