"""Workers are killed and stopped at random while they work: every receipt is rendered, and none is written twice."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest

from tests.integration.app.postgres import run_sql
from tests.integration.app.receipt_audit import Account, add_orders, audit, install_witness
from tests.integration.app.receipt_worker import ReceiptWorker
from tests.integration.app.service import Service
from tests.polling import poll_until

pytestmark = pytest.mark.slow

RECEIPTS = 150
WORKERS = 3
# Enough that every kind of end happens while a job is in hand, and few enough that the work gets done.
ENDS = 12


class HastyWorker(ReceiptWorker):
    """Acknowledges before it renders."""

    module = "tests.integration.app.hasty"


class Crew:
    """Workers that end at random, each followed by another, as a Deployment's pods are."""

    def __init__(self, dsn: str, kind: type[ReceiptWorker]) -> None:
        self.ends: Counter[str] = Counter()
        self._dsn = dsn
        self._kind = kind
        self._chance = random.Random(5)  # noqa: S311 - the same ends in each run
        self._stack = ExitStack()
        self._workers = [self._start() for _ in range(WORKERS)]

    def _start(self) -> ReceiptWorker:
        worker = self._kind(self._dsn)
        self._stack.callback(worker.kill)
        return worker

    def end_one(self) -> None:
        """End the worker that has a job in hand, one way or the other, and start another."""
        worker = poll_until(self._busy, "a worker to have a job in hand", 40)
        if self._chance.random() < 0.7:
            worker.kill()
            self.ends["SIGKILL"] += 1
        else:
            worker.terminate()
            assert worker.wait_for_exit(20) == 0
            self.ends["SIGTERM"] += 1
        self._workers[self._workers.index(worker)] = self._start()

    def close(self) -> None:
        self._stack.close()

    def _busy(self) -> ReceiptWorker | None:
        busy = [worker for worker in self._workers if worker.metric("receipts_in_hand")]
        return self._chance.choice(busy) if busy else None


@pytest.fixture
def crews() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def work_off(
    shop: Service, dsn: str, kind: type[ReceiptWorker], crews: ExitStack
) -> tuple[Account, Counter[str], float]:
    """Ask for receipts, end workers while they are rendered, wait until the queue is empty: the account of it."""
    install_witness(dsn)
    orders = add_orders(dsn, RECEIPTS)
    with httpx2.Client(base_url=shop.url, timeout=10) as client:
        asked = Counter(client.put(f"/orders/{order_id}/receipt").status_code for order_id in orders)
    assert asked == {202: RECEIPTS}
    began = time.monotonic()
    crew = Crew(dsn, kind)
    crews.callback(crew.close)
    for _ in range(ENDS):
        crew.end_one()
    poll_until(lambda: run_sql(dsn, "SELECT count(*) FROM pgqueuer")[0][0] == 0, "the queue to be empty", 90)
    crew.close()  # whoever still renders what it has acknowledged
    return audit(dsn), crew.ends, time.monotonic() - began


def told(name: str, account: Account, ends: Counter[str], seconds: float) -> str:
    return (
        f"{name}: enqueued {account.enqueued}, done {account.rendered}, lost {account.lost},"
        f" repeated {account.repeated}, failed {account.failed},"
        f" killed {ends['SIGKILL']}, stopped {ends['SIGTERM']}, {seconds:.1f} s"
    )


def test_no_end_of_a_worker_loses_a_receipt_or_writes_one_twice(shop: Service, database: str, crews: ExitStack) -> None:
    account, ends, seconds = work_off(shop, database, ReceiptWorker, crews)
    print(told("worker", account, ends, seconds))

    assert account == Account(enqueued=RECEIPTS, rendered=RECEIPTS, failed=0, lost=0, repeated=0, in_queue=0)
    assert min(ends["SIGKILL"], ends["SIGTERM"]) >= 2, f"too few ends of a kind to prove anything: {ends}"


def test_the_account_of_receipts_can_fail(shop: Service, database: str, crews: ExitStack) -> None:
    """The negative control: a worker that acknowledges before it renders loses receipts under the same ends."""
    account, ends, seconds = work_off(shop, database, HastyWorker, crews)
    print(told("hasty worker", account, ends, seconds))

    assert account.lost > 0, account
    assert account.rendered == RECEIPTS - account.lost
