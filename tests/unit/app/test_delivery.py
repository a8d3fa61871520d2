"""Span delivery: every finished span is queued, delivered or lost."""

import logging

import pytest

from app.observability.delivery import BATCH, MOST_WAITING, Delivery


@pytest.fixture
def delivery(caplog: pytest.LogCaptureFixture) -> Delivery:
    caplog.set_level(logging.INFO)
    return Delivery("http://collector:4318")


def test_spans_queued_at_the_end_of_the_process_are_lost(delivery: Delivery) -> None:
    assert admitted(delivery, 10) == 10
    delivery.arrived(4)
    delivery.failed(1, "refused")
    delivery.close()
    assert (delivery.delivered, delivery.lost) == (4, 6)


def test_a_batch_that_fails_after_the_end_is_not_lost_twice(
    delivery: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    admitted(delivery, 10)
    delivery.close()
    delivery.failed(10, "refused")
    assert (delivery.delivered, delivery.lost) == (0, 10)
    assert not caplog.records, "a daemon thread must not log while the process exits"


def test_spans_beyond_the_limit_of_the_queue_are_lost(delivery: Delivery, caplog: pytest.LogCaptureFixture) -> None:
    assert admitted(delivery, MOST_WAITING + 7) == MOST_WAITING
    assert delivery.lost == 7
    assert [record.message for record in caplog.records] == ["telemetry_failing"]


def test_delivery_has_recovered_when_less_than_a_batch_is_queued(
    delivery: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    admitted(delivery, MOST_WAITING + 1)
    while len(caplog.records) < 2:
        delivery.arrived(BATCH)
    assert delivery.delivered == MOST_WAITING
    failing, recovered = caplog.records
    assert (failing.levelname, recovered.levelname) == ("WARNING", "INFO")
    assert recovered.message == "telemetry_recovered"
    assert recovered.__dict__["lost"] == 1


def test_each_outage_is_logged_once_regardless_of_the_failed_batches(
    delivery: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    for outcome in (delivery.failed, delivery.failed, None, None, delivery.failed, None):
        admitted(delivery, 1)
        if outcome is None:
            delivery.arrived(1)
        else:
            outcome(1, "refused")
    assert [record.message for record in caplog.records] == ["telemetry_failing", "telemetry_recovered"] * 2


def admitted(delivery: Delivery, spans: int) -> int:
    return sum(delivery.admit() for _ in range(spans))
