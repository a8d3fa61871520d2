"""A real order, through the Service, into Postgres."""

import uuid

import httpx2

from tests.e2e import cluster
from tests.polling import poll_until


def test_an_order_placed_twice_with_one_key_is_in_postgres_once(client: httpx2.Client, product_id: int) -> None:
    key = uuid.uuid4().hex
    body = {"lines": [{"product_id": product_id, "quantity": 3}]}
    first, again = (client.post("/orders", json=body, headers={"Idempotency-Key": key}) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    rows = cluster.query("SELECT id FROM orders WHERE idempotency_key = :'key'", key=key)
    assert rows == [str(first.json()["id"])]
    assert cluster.query("SELECT stocked - stock FROM products WHERE id = :'id'", id=product_id) == ["3"]


def test_requests_reach_every_pod() -> None:
    seen: set[str] = set()

    def ask() -> bool:
        # A new connection each time, because kube-proxy balances connections.
        seen.add(httpx2.get(f"{cluster.SERVICE_URL}/health/live").headers["X-Served-By"])
        return seen == set(cluster.shop_pods())

    poll_until(ask, f"answers from {cluster.shop_pods()}", seconds=60)
    assert len(seen) >= 2


def test_the_pods_are_on_different_nodes() -> None:
    pods = cluster.pods(cluster.WORKLOAD.deployment)
    assert len({pod["spec"]["nodeName"] for pod in pods}) == len(pods)
