"""The lag metric records a blocked event loop."""

import re

import httpx2

from tests.integration.app.conftest import StartService
from tests.integration.app.service import Service
from tests.polling import poll_until


def test_a_blocked_loop_appears_in_the_lag_metric(database: str, start: StartService) -> None:
    service = start(database, FAULTS_ENABLED="true")
    service.wait_until_ready()
    poll_until(lambda: samples(scrape(service), "+Inf") > 4, "the first samples")
    # May be above zero: an overloaded machine delays even an idle event loop.
    before = late(scrape(service))

    httpx2.post(f"{service.url}/faults/block-loop", json={"seconds": 1.2}, timeout=10)
    # The timer was due at most 0.25 s after the block began.
    assert poll_until(lambda: late(scrape(service)) - before, "a late sample") == 1


def late(metrics: str) -> int:
    """The samples above 0.5 s in one scrape. Two scrapes would differ, because the loop keeps sampling."""
    return samples(metrics, "+Inf") - samples(metrics, "0.5")


def samples(metrics: str, bucket: str) -> int:
    found = re.search(rf'^event_loop_lag_seconds_bucket\{{le="{re.escape(bucket)}"\}} (\d+)', metrics, re.MULTILINE)
    assert found is not None, metrics
    return int(found[1])


def scrape(service: Service) -> str:
    return httpx2.get(f"{service.url}/metrics").text
