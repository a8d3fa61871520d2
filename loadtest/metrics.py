"""The clients' metrics for Prometheus, with the names of drydock/judge/metrics.py, so that dashboards show both."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from drydock.requests.outcome import Outcome
from drydock.requests.statistics import BUCKETS
from loadtest.records import Counts


class Exposition(Collector):
    """Serves /metrics on `port`. 0 disables it."""

    def __init__(self, port: int) -> None:
        self._counts = Counts()
        if port:
            registry = CollectorRegistry()
            registry.register(self)
            start_http_server(port, registry=registry)

    def observe(self, counts: Counts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """The samples. Every outcome exists from the start, so that rate() sees its first increase."""
        counts = self._counts
        requests = CounterMetricFamily("client_requests", "Requests sent, by outcome.", labels=["outcome"])
        for outcome in Outcome:
            requests.add_metric([outcome], counts.outcomes[outcome])
        yield requests
        bounds = [*map(str, BUCKETS), "+Inf"]
        buckets = list(zip(bounds, accumulate(counts.buckets), strict=True))
        text = "Time from a request's start to the last byte of its response, for complete responses."
        yield HistogramMetricFamily("client_request_duration_seconds", text, buckets, counts.seconds)
