"""A database outage causes only 503s, and the service recovers without a restart."""

import time
from collections.abc import Iterator

import pytest

from tests.e2e import cluster
from tests.e2e.requests import SteadyRequests
from tests.polling import poll_until

pytestmark = pytest.mark.usefixtures("two_pods")  # the 60 requests per second would scale out to a third pod

DATABASE = "statefulset/postgres"


@pytest.fixture(autouse=True)
def database_comes_back() -> Iterator[None]:
    yield
    cluster.kubectl("scale", DATABASE, "--replicas=1")
    cluster.kubectl("rollout", "status", DATABASE, "--timeout=90s")


def test_a_restart_of_the_database_gives_503_and_nothing_worse(product_id: int) -> None:
    before = cluster.pods(cluster.WORKLOAD.deployment)
    with SteadyRequests(product_id) as load:
        poll_until(lambda: len(load.outcomes) > 100, "a hundred requests before anything happens")
        cluster.kubectl("delete", "pod", cluster.DATABASE_POD)
        poll_until(lambda: load.lost, "the first request that finds no database")
        poll_until(_database_ready, "the database to be back", seconds=60)
        back = time.monotonic()
        poll_until(lambda: load.answered_after(back + 1), "answers after the database's return")

    assert {outcome.result for outcome in load.lost} == {"503"}, load.summary()
    assert _same_pods_without_restart(before)
    first = min(outcome.sent_at for outcome in load.answered_after(load.lost[0].sent_at))
    print(f"{load.summary()}; first success {first - back:+.2f} s after readiness")
    assert first - back < 2
    _assert_acknowledged_orders_are_there(load)


def test_a_long_outage_makes_pods_unready_but_restarts_none(product_id: int) -> None:
    before = cluster.pods(cluster.WORKLOAD.deployment)
    cluster.kubectl("scale", DATABASE, "--replicas=0")
    poll_until(
        lambda: not any(cluster.ready(pod) for pod in cluster.pods(cluster.WORKLOAD.deployment)),
        "every pod to leave the Service",
        seconds=60,
    )
    # As many failures as would restart a pod.
    probes = {name: _liveness_probes(name) + 3 for name in cluster.shop_pods()}
    poll_until(
        lambda: all(_liveness_probes(name) >= count for name, count in probes.items()),
        "three more liveness probes of every pod",
        seconds=60,
    )
    assert _same_pods_without_restart(before)

    cluster.kubectl("scale", DATABASE, "--replicas=1")
    poll_until(_database_ready, "the database to be back", seconds=60)
    cluster.settle()
    assert _same_pods_without_restart(before)


def _database_ready() -> bool:
    return any(cluster.ready(pod) for pod in cluster.pods("postgres"))


def _liveness_probes(name: str) -> int:
    return cluster.kubectl("logs", name).count('"path": "/health/live"')


def _same_pods_without_restart(before: list[cluster.Object]) -> bool:
    now = cluster.pods(cluster.WORKLOAD.deployment)
    uids = [sorted(pod["metadata"]["uid"] for pod in pods) for pods in (before, now)]
    return uids[0] == uids[1] and sum(map(cluster.restarts, now)) == sum(map(cluster.restarts, before))


def _assert_acknowledged_orders_are_there(load: SteadyRequests) -> None:
    keys = cluster.query(
        "SELECT idempotency_key FROM orders JOIN order_lines ON order_id = orders.id WHERE product_id = :'id'",
        id=load.product_id,
    )
    assert len(keys) == len(set(keys))
    assert load.acknowledged_orders <= set(keys)
