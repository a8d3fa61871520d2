"""Receipts: requested over HTTP and rendered by a worker, once."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import asyncpg
import httpx2
import pytest

from app.schema import head
from tests.integration.app.conftest import StartService
from tests.integration.app.postgres import Postgres, run_sql
from tests.integration.app.receipt_audit import add_orders
from tests.integration.app.receipt_worker import ReceiptWorker
from tests.integration.app.receiver import Receiver
from tests.integration.app.service import Service
from tests.integration.app.test_database_outage import outage
from tests.integration.app.test_telemetry import TRACED, attributes
from tests.lifecycle import SHUTDOWN
from tests.polling import poll_until, poll_until_async

# Simulates a worker that lost its database connection after it wrote the receipt.
AGAIN = """
    INSERT INTO pgqueuer (priority, status, entrypoint, payload)
    SELECT 0, 'queued', 'render_receipt', convert_to(order_id::text, 'UTF8') FROM receipts
"""

StartWorker = Callable[..., ReceiptWorker]


@pytest.fixture
def start_worker(database: str) -> Iterator[StartWorker]:
    """Start workers on the test's database and wait until they are ready. Teardown kills them."""
    with contextlib.ExitStack() as stack:

        def start(**environment: str) -> ReceiptWorker:
            worker = ReceiptWorker(database, **environment)
            stack.callback(worker.clear_away)
            worker.wait_until_ready(40)
            return worker

        yield start


def request_receipt(shop: Service, order_id: int) -> httpx2.Response:
    return httpx2.put(f"{shop.url}/orders/{order_id}/receipt", timeout=10)


def rendered(shop: Service, order_id: int) -> httpx2.Response:
    """Wait until the receipt is rendered and return the response."""

    def fetch() -> httpx2.Response | None:
        response = shop.get(f"/orders/{order_id}/receipt")
        return response if response is not None and response.status_code == 200 else None

    return poll_until(fetch, f"the receipt of order {order_id}", 30)


def test_a_requested_receipt_is_rendered(shop: Service, database: str, start_worker: StartWorker) -> None:
    (order_id,) = add_orders(database, 1)
    unasked = shop.get(f"/orders/{order_id}/receipt")
    asked = request_receipt(shop, order_id)
    pending = shop.get(f"/orders/{order_id}/receipt")
    worker = start_worker(POD_NAME="worker-1")
    receipt = rendered(shop, order_id)

    assert unasked is not None
    assert pending is not None
    assert unasked.status_code == 404
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    assert (pending.status_code, pending.headers["retry-after"]) == (202, "1")
    assert receipt.headers["content-type"] == "application/pdf"
    assert receipt.content.startswith(b"%PDF-")
    assert [tuple(row) for row in run_sql(database, "SELECT rendered_by, attempts FROM receipts")] == [("worker-1", 1)]
    assert worker.metric("receipts_rendered_total") == 1
    assert worker.metric("receipt_wait_seconds_count") == 1
    assert run_sql(database, "SELECT FROM pgqueuer_log") == [], "the log would grow without limit"


def test_a_repeated_request_has_no_effect(shop: Service, database: str, start_worker: StartWorker) -> None:
    (order_id,) = add_orders(database, 1)

    async def ask_at_once() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(base_url=shop.url, timeout=10) as client:
            return list(await asyncio.gather(*(client.put(f"/orders/{order_id}/receipt") for _ in range(20))))

    answers = asyncio.run(ask_at_once())
    queued = audit_queue(database)
    worker = start_worker()
    first = rendered(shop, order_id)
    late = request_receipt(shop, order_id)
    second = rendered(shop, order_id)

    assert Counter(answer.status_code for answer in answers) == {202: 20}
    assert queued == 1, "20 requests for one receipt must add one job"
    assert (late.status_code, late.json()["status"]) == (202, "rendered")
    assert audit_queue(database) == 0
    assert first.content == second.content
    assert first.headers["last-modified"] == second.headers["last-modified"]
    assert worker.metric("receipts_rendered_total") == 1


def test_the_receipt_of_an_order_that_does_not_exist_is_not_found(shop: Service) -> None:
    asked, fetched = request_receipt(shop, 4711), shop.get("/orders/4711/receipt")
    assert fetched is not None
    for answer in (asked, fetched):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_job_for_an_existing_receipt_is_counted_and_has_no_effect(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    worker = start_worker()
    (order_id,) = add_orders(database, 1)
    request_receipt(shop, order_id)
    first = rendered(shop, order_id)
    run_sql(database, AGAIN)
    poll_until(lambda: worker.metric("receipts_repeated_total") == 1, "the second job to be counted as repeated")

    assert rendered(shop, order_id).headers["last-modified"] == first.headers["last-modified"]
    assert audit_queue(database) == 0


@pytest.mark.slow
def test_a_receipt_that_cannot_be_rendered_fails_without_delaying_others(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    poisoned, healthy = add_orders(database, 2)
    run_sql(database, "ALTER TABLE products ALTER name DROP NOT NULL")
    run_sql(database, "UPDATE order_lines SET product_id = 2 WHERE order_id = (SELECT min(id) FROM orders)")
    run_sql(database, "UPDATE products SET name = NULL WHERE id = 2")
    for order_id in (poisoned, healthy):
        request_receipt(shop, order_id)
    worker = start_worker(RECEIPT_ATTEMPTS="3")
    rendered(shop, healthy)
    poll_until(lambda: worker.metric("receipts_failed_total") == 1, "the poisoned receipt to be given up")
    failed = shop.get(f"/orders/{poisoned}/receipt")

    assert failed is not None
    assert failed.status_code == 409
    assert worker.metric("receipts_retried_total") == 2
    assert audit_queue(database) == 0
    (line,) = [line for line in worker.lines if line["message"] == "receipt_failed"]
    assert (line["level"], line["order_id"]) == ("ERROR", poisoned)

    run_sql(database, "UPDATE products SET name = 'Mended' WHERE id = 2")
    assert request_receipt(shop, poisoned).json()["status"] == "pending", "PUT must request a failed receipt again"
    rendered(shop, poisoned)


@pytest.mark.slow
def test_a_receipt_that_kills_its_worker_each_time_fails(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    (order_id,) = add_orders(database, 1)
    request_receipt(shop, order_id)
    run_sql(database, "UPDATE receipts SET attempts = 3")  # three workers died while rendering it
    worker = start_worker(RECEIPT_ATTEMPTS="3")
    poll_until(lambda: worker.metric("receipts_failed_total") == 1, "the receipt to be given up")
    assert audit_queue(database) == 0


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGSTOP, "took longer than 3 s"), (signal.SIGKILL, "died")])
@pytest.mark.slow
def test_a_rendering_process_that_hangs_or_dies_is_replaced(
    number: signal.Signals, reason: str, shop: Service, database: str, start_worker: StartWorker
) -> None:
    worker = start_worker(RECEIPT_RENDER_SECONDS="3")
    (process,) = worker.rendering_processes()
    os.kill(process, number)
    orders = add_orders(database, 3)
    for order_id in orders:
        request_receipt(shop, order_id)
    for order_id in orders:
        rendered(shop, order_id)

    assert process not in worker.rendering_processes()
    reasons = [line["reason"] for line in worker.lines if line["message"] == "receipt_retried"]
    assert reasons, "the signalled process was never used"
    assert reason in reasons[0], reasons


def test_a_worker_that_is_killed_leaves_no_process_behind(start_worker: StartWorker) -> None:
    worker = start_worker()
    (process,) = worker.rendering_processes()
    worker.kill()
    poll_until(lambda: not alive(process), "the rendering process to end with its parent")


def test_every_step_of_the_shutdown_is_logged_in_order(start_worker: StartWorker) -> None:
    worker = start_worker()
    worker.terminate()
    assert worker.wait_for_exit(10) == 0
    assert worker.events("startup", "ready", *SHUTDOWN) == ["startup", "ready", *SHUTDOWN]


@pytest.mark.slow
def test_after_sigterm_a_worker_finishes_its_jobs_and_claims_no_more(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    worker = start_worker()
    orders = add_orders(database, 60)
    for order_id in orders:
        request_receipt(shop, order_id)
    poll_until(lambda: worker.metric("receipts_in_hand") == 1, "the worker to have a job in hand")
    worker.terminate()
    code = worker.wait_for_exit(10)

    assert code == 0
    in_hand = run_sql(database, "SELECT count(*) FROM pgqueuer WHERE status = 'picked'")[0][0]
    left = audit_queue(database)
    assert in_hand == 0, "the worker left a claimed job unfinished"
    assert 0 < left < 60, f"{left} of 60 jobs are left: the worker did not stop in the middle of the work"


@pytest.mark.slow
async def test_a_job_being_claimed_during_the_shutdown_is_finished(database: str, start_worker: StartWorker) -> None:
    worker = await asyncio.to_thread(start_worker)
    await asyncio.to_thread(add_orders, database, 1)
    connection = await asyncpg.connect(database)
    try:
        async with connection.transaction():
            await connection.execute("INSERT INTO receipts (order_id) SELECT id FROM orders")
            await connection.execute(AGAIN)
            await connection.execute("LOCK TABLE pgqueuer IN EXCLUSIVE MODE")  # claims wait, reads proceed
            await poll_until_async(
                lambda: connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"), "a claim to wait"
            )
            worker.terminate()
            await asyncio.to_thread(poll_until, lambda: worker.events("draining"), "the worker to begin its end")
        code = await asyncio.to_thread(worker.wait_for_exit, 10)
        rendered_at = await connection.fetchval("SELECT rendered_at FROM receipts")
    finally:
        await connection.close()

    assert code == 0
    assert rendered_at is not None, "the job was claimed and dropped: no worker can claim it before it is stale"


@pytest.mark.slow
def test_a_rendering_that_exceeds_the_graceful_timeout_is_left_to_another_worker(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    worker = start_worker(GRACEFUL_SECONDS="1", RECEIPT_RENDER_SECONDS="30")
    os.kill(worker.rendering_processes()[0], signal.SIGSTOP)
    (order_id,) = add_orders(database, 1)
    request_receipt(shop, order_id)
    poll_until(lambda: worker.metric("receipts_in_hand") == 1, "the job to be in hand")
    began = time.monotonic()
    worker.terminate()
    code = worker.wait_for_exit(10)
    took = time.monotonic() - began
    start_worker()
    rendered(shop, order_id)

    assert code == 0
    assert 1 <= took < 4, f"the shutdown took {took:.1f} s; the graceful timeout is 1 s"


@pytest.mark.slow
def test_the_job_of_a_killed_worker_is_claimed_in_time_and_that_of_a_live_one_is_not(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    """Jobs are stale after 2 s. A job that renders for 4 s stays with its worker until the worker is killed."""
    slow = start_worker(RECEIPT_RENDER_SECONDS="60", POD_NAME="slow")
    os.kill(slow.rendering_processes()[0], signal.SIGSTOP)
    (order_id,) = add_orders(database, 1)
    request_receipt(shop, order_id)
    poll_until(lambda: slow.metric("receipts_in_hand") == 1, "the job to be in hand")
    other = start_worker(POD_NAME="other")
    waited_from = time.monotonic()
    poll_until(lambda: time.monotonic() - waited_from > 4, "twice the time after which a job counts as abandoned")
    assert other.metric("receipts_in_hand") == 0
    assert audit_queue(database) == 1

    slow.kill()
    killed = time.monotonic()
    rendered(shop, order_id)
    took = time.monotonic() - killed
    print(f"claimed and rendered {took:.2f} s after the kill; stale after 2 s")
    assert took < 2 + 2, f"{took:.1f} s after the kill; the limit is 2 s plus one poll and one rendering"
    assert run_sql(database, "SELECT rendered_by FROM receipts")[0][0] == "other"


@pytest.mark.slow
async def test_a_database_outage_ends_no_worker_and_loses_no_job(
    shop: Service, database: str, postgres: Postgres, start_worker: StartWorker
) -> None:
    worker = await asyncio.to_thread(start_worker)
    orders = await asyncio.to_thread(add_orders, database, 60)
    for order_id in orders:
        await asyncio.to_thread(request_receipt, shop, order_id)
    await asyncio.to_thread(poll_until, lambda: worker.metric("receipts_rendered_total") > 3, "the first receipts")
    async with outage(postgres, "immediate"):
        await asyncio.to_thread(poll_until, lambda: not worker.is_ready(), "the worker to notice the outage")
    before = worker.pid
    await asyncio.to_thread(rendered, shop, orders[-1])
    await asyncio.to_thread(poll_until, lambda: audit_queue(database) == 0, "the queue to be empty")

    assert (worker.running, worker.pid) == (True, before)
    states = {
        row[0] for row in await asyncio.to_thread(run_sql, database, "SELECT rendered_at IS NOT NULL FROM receipts")
    }
    assert states == {True}
    assert worker.metric("receipts_failed_total") == 0


def test_a_worker_started_without_its_schema_waits_for_it(empty_database: str) -> None:
    worker = ReceiptWorker(empty_database)
    try:
        worker.wait_until_live()
        response = worker.get("/health/ready")
        assert response is not None
        assert response.json()["checks"]["migrations"] == f"none applied, needs {head()}"
        assert worker.running
    finally:
        worker.kill()


@pytest.mark.slow
def test_the_metrics_report_the_depth_and_age_of_the_queue(
    shop: Service, database: str, start_worker: StartWorker
) -> None:
    worker = start_worker(RECEIPT_RENDER_SECONDS="60")
    os.kill(worker.rendering_processes()[0], signal.SIGSTOP)
    for order_id in add_orders(database, 5):
        request_receipt(shop, order_id)
    poll_until(lambda: worker.metric("receipt_queue_jobs") == 5, "the gauge to say 5")
    poll_until(lambda: worker.metric("receipt_queue_oldest_seconds") > 1, "the oldest job to be a second old")


def test_the_worker_s_span_belongs_to_the_request_s_trace(database: str, start: StartService) -> None:
    with Receiver() as receiver:
        endpoint = f"http://{receiver.address}"
        shop = start(database, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        shop.wait_until_ready()
        worker = ReceiptWorker(database, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, SERVICE_NAME="receipts")
        worker.wait_until_ready(40)
        (order_id,) = add_orders(database, 1)
        httpx2.put(f"{shop.url}/orders/{order_id}/receipt", headers=TRACED, timeout=10)
        rendered(shop, order_id)
        for process in (worker, shop):
            process.terminate()
            process.wait_for_exit(20)
        spans = {span.name: span for span in receiver.spans() if span.trace_id.hex() == TRACED["traceparent"][3:35]}
        services = {resource["service.name"] for resource in receiver.resources()}

    request, work = spans["PUT /orders/{order_id}/receipt"], spans["process render_receipt"]
    assert work.parent_span_id == request.span_id
    assert services == {"shop", "receipts"}
    assert attributes(work)["messaging.system"] == "pgqueuer"
    (line,) = [line for line in worker.lines if line["message"] == "receipt_rendered"]
    assert (line["trace_id"], line["span_id"]) == (work.trace_id.hex(), work.span_id.hex())


def audit_queue(dsn: str) -> int:
    return int(run_sql(dsn, "SELECT count(*) FROM pgqueuer")[0][0])


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
