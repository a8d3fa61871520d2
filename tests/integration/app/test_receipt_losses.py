"""While workers are killed and stopped at random, every receipt is rendered and none is written twice."""

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
# Enough to interrupt jobs with both signals, and few enough to finish the work.
ENDS = 12


class HastyWorker(ReceiptWorker):
    """A worker that acknowledges each job before it renders it."""

    module = "tests.integration.app.hasty"


class Crew:
    """Workers that end at random. Like a Deployment, the crew replaces each one."""

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
        """Kill or stop a random worker with a job in hand, and start another."""
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
    """Request receipts, end workers while they render, wait until the queue is empty, and audit the receipts."""
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
    crew.close()  # a hasty worker may still be rendering jobs it has acknowledged
    return audit(dsn), crew.ends, time.monotonic() - began


def summary(name: str, account: Account, ends: Counter[str], seconds: float) -> str:
    return (
        f"{name}: enqueued {account.enqueued}, done {account.rendered}, lost {account.lost},"
        f" repeated {account.repeated}, failed {account.failed},"
        f" killed {ends['SIGKILL']}, stopped {ends['SIGTERM']}, {seconds:.1f} s"
    )


def test_ending_workers_loses_no_receipt_and_writes_none_twice(shop: Service, database: str, crews: ExitStack) -> None:
    account, ends, seconds = work_off(shop, database, ReceiptWorker, crews)
    print(summary("worker", account, ends, seconds))

    assert account == Account(enqueued=RECEIPTS, rendered=RECEIPTS, failed=0, lost=0, repeated=0, in_queue=0)
    assert min(ends["SIGKILL"], ends["SIGTERM"]) >= 2, f"too few signals of one kind for a conclusion: {ends}"


def test_workers_that_acknowledge_too_early_lose_receipts(shop: Service, database: str, crews: ExitStack) -> None:
    """The negative control."""
    account, ends, seconds = work_off(shop, database, HastyWorker, crews)
    print(summary("hasty worker", account, ends, seconds))

    assert account.lost > 0, account
    assert account.rendered == RECEIPTS - account.lost
