"""While workers start and stop, every requested receipt is rendered and none is written twice."""

import itertools
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.e2e import cluster
from tests.polling import poll_until

RECEIPTS = 240
CLIENTS = 8
MOST_WORKERS = 3
# The ways to end a worker: with its grace period of 30 s, and immediately.
ENDS = {"graceful": (), "forced": ("--grace-period=0", "--force")}
ROUNDS = 6

RENDERED = """
    SELECT order_id || ' ' || md5(document) || ' ' || rendered_at
    FROM receipts JOIN orders ON orders.id = order_id WHERE customer = :'customer' AND rendered_at IS NOT NULL
"""
ACCOUNT = """
    SELECT count(*), count(rendered_at), count(failed_at),
           count(*) FILTER (WHERE rendered_at IS NULL AND failed_at IS NULL AND NOT EXISTS (
               SELECT FROM pgqueuer WHERE payload = convert_to(order_id::text, 'UTF8')))
    FROM receipts JOIN orders ON orders.id = order_id WHERE customer = :'customer'
"""
STOCK = """
    SELECT stocked - stock - coalesce(
        (SELECT sum(quantity) FROM order_lines WHERE product_id = products.id), 0) FROM products WHERE id = :'id'
"""


class Ledger:
    """The documents as first observed. A document that changes later was written twice."""

    def __init__(self, customer: str) -> None:
        self.seen: dict[str, str] = {}
        self.repeated: set[str] = set()
        self._customer = customer

    def read(self) -> int:
        """Read all documents and return their number."""
        for row in cluster.query(RENDERED, customer=self._customer):
            order_id, document = row.split(" ", 1)
            if self.seen.setdefault(order_id, document) != document:
                self.repeated.add(order_id)
        return len(self.seen)


def workers() -> list[str]:
    """The names of the ready workers."""
    return [pod["metadata"]["name"] for pod in cluster.pods("receipts") if cluster.ready(pod)]


def wanted() -> int:
    """The number of workers that the autoscaler requests."""
    return int(cluster.get("deployment", "receipts")["spec"]["replicas"])


def ask(client: httpx2.Client, customer: str, product_id: int) -> int:
    """Order one unit and request its receipt. Returns the status of the receipt request."""
    headers = {"X-User-Id": customer, "Idempotency-Key": uuid.uuid4().hex}
    body = {"lines": [{"product_id": product_id, "quantity": 1}]}
    order_id = client.post("/orders", json=body, headers=headers).json()["id"]
    return client.put(f"/orders/{order_id}/receipt").status_code


def test_no_receipt_is_lost_or_written_twice_while_workers_come_and_go(client: httpx2.Client, product_id: int) -> None:
    poll_until(workers, "a worker to be ready", 120)
    poll_until(lambda: wanted() == 1, "the workers of an earlier test to be gone", 180)
    customer, began = f"receipts-{uuid.uuid4().hex[:8]}", time.monotonic()
    ledger, ends, most = Ledger(customer), Counter[str](), 1
    with ThreadPoolExecutor(CLIENTS) as pool:
        asked = pool.map(lambda _: ask(client, customer, product_id), range(RECEIPTS))
        for _, (name, options) in zip(range(ROUNDS), itertools.cycle(ENDS.items()), strict=False):
            victim = poll_until(workers, "a worker to be ready", 60)[0]
            cluster.kubectl("delete", "pod", victim, "--wait=false", *options)
            ends[name] += 1
            most = max(most, wanted())
            ledger.read()
        statuses = Counter(asked)

    def done() -> bool:
        nonlocal most
        most = max(most, wanted())
        return ledger.read() == RECEIPTS

    poll_until(done, f"{RECEIPTS} receipts to be rendered", 180)
    seconds = time.monotonic() - began
    poll_until(lambda: wanted() == 1, "the autoscaler to go back to one worker", 180)
    ledger.read()
    enqueued, rendered, failed, lost = map(int, cluster.query(ACCOUNT, customer=customer)[0].split("|"))
    print(
        f"enqueued {enqueued}, done {rendered}, lost {lost}, repeated {len(ledger.repeated)}, failed {failed},"
        f" ends {dict(ends)}, workers 1 -> {most} -> 1, {seconds:.0f} s"
    )

    assert statuses == {202: RECEIPTS}
    assert (enqueued, rendered, failed, lost) == (RECEIPTS, RECEIPTS, 0, 0)
    assert not ledger.repeated
    assert min(ends.values()) >= 2
    assert most == MOST_WORKERS, f"KEDA asked for {most} workers at the most"
    assert cluster.query(STOCK, id=product_id) == ["0"], "orders are untouched by their receipts"


def test_a_receipt_is_there_soon_after_it_is_asked_for(client: httpx2.Client, product_id: int) -> None:
    """One customer orders, requests the receipt and fetches it."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    body = {"lines": [{"product_id": product_id, "quantity": 2}]}
    path = f"/orders/{client.post('/orders', json=body, headers=headers).json()['id']}/receipt"
    assert client.get(path).status_code == 404
    assert client.put(path).status_code == 202
    began = time.monotonic()
    receipt = poll_until(lambda: found if (found := client.get(path)).status_code == 200 else None, "the receipt", 30)
    print(f"the receipt was there after {time.monotonic() - began:.2f} s")

    assert receipt.headers["content-type"] == "application/pdf"
    assert receipt.content.startswith(b"%PDF-")
