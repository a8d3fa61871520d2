"""A blocked event loop shows in its lag."""

import re

import httpx2

from tests.integration.app.conftest import StartService
from tests.integration.app.service import Service
from tests.polling import poll_until


def test_a_blocked_loop_is_as_late_as_it_was_blocked(database: str, start: StartService) -> None:
    service = start(database, FAULTS_ENABLED="true")
    service.wait_until_ready()
    poll_until(lambda: samples(service, "+Inf") > 4, "the first samples")
    assert late(service) == 0, "a loop that does nothing was 0.5 s late"

    httpx2.post(f"{service.url}/faults/block-loop", json={"seconds": 1.2}, timeout=10)
    # The timer was due at most a quarter of a second after the block began.
    assert poll_until(lambda: late(service), "the lag to show") == 1
    assert samples(service, "2.5") == samples(service, "+Inf"), "later than the block was long"


def late(service: Service) -> int:
    return samples(service, "+Inf") - samples(service, "0.5")


def samples(service: Service, bucket: str) -> int:
    metrics = httpx2.get(f"{service.url}/metrics").text
    found = re.search(rf'^event_loop_lag_seconds_bucket\{{le="{re.escape(bucket)}"\}} (\d+)', metrics, re.MULTILINE)
    assert found is not None, metrics
    return int(found[1])
