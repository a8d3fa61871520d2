"""A blocked event loop shows in its lag."""

import re

import httpx2

from tests.integration.app.conftest import StartService
from tests.integration.app.service import Service
from tests.polling import poll_until


def test_a_blocked_loop_is_as_late_as_it_was_blocked(database: str, start: StartService) -> None:
    service = start(database, FAULTS_ENABLED="true")
    service.wait_until_ready()
    poll_until(lambda: samples(scrape(service), "+Inf") > 4, "the first samples")
    # Not none: a machine with more to do than it has cores may have starved even a loop that does nothing.
    before = late(scrape(service))

    httpx2.post(f"{service.url}/faults/block-loop", json={"seconds": 1.2}, timeout=10)
    # The timer was due at most a quarter of a second after the block began.
    assert poll_until(lambda: late(scrape(service)) - before, "the lag to show") == 1


def late(metrics: str) -> int:
    """Samples more than half a second late, of one scrape: a loop goes on sampling between two."""
    return samples(metrics, "+Inf") - samples(metrics, "0.5")


def samples(metrics: str, bucket: str) -> int:
    found = re.search(rf'^event_loop_lag_seconds_bucket\{{le="{re.escape(bucket)}"\}} (\d+)', metrics, re.MULTILINE)
    assert found is not None, metrics
    return int(found[1])


def scrape(service: Service) -> str:
    return httpx2.get(f"{service.url}/metrics").text
