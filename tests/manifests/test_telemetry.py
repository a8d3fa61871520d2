"""The parts of the telemetry stack agree on shared settings."""

from typing import Any

import pytest
import yaml

from app.observability.requests import LATENCY_BUCKETS
from drydock.dashboards.queries import SCRAPE_SECONDS
from drydock.requests.statistics import BUCKETS
from tests.manifests.conftest import ROOT


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("prometheus/prometheus.yaml", ["global", "scrape_interval"]),
        ("grafana/provisioning/datasources/drydock.yaml", ["datasources", 0, "jsonData", "timeInterval"]),
    ],
)
def test_prometheus_grafana_and_the_linter_know_the_same_scrape_interval(path: str, place: list[str | int]) -> None:
    assert setting(path, place) == f"{SCRAPE_SECONDS}s"


def test_the_durations_of_service_collector_and_load_generator_can_be_compared() -> None:
    place = ["connectors", "span_metrics", "histogram", "explicit", "buckets"]
    assert BUCKETS == LATENCY_BUCKETS == tuple(seconds(text) for text in setting("collector/config.yaml", place))


def setting(path: str, place: list[Any]) -> Any:
    """A value in a file below observability/."""
    found = yaml.safe_load((ROOT / "observability" / path).read_text())
    for key in place:
        found = found[key]
    return found


def seconds(duration: str) -> float:
    """The seconds of a duration in the collector's notation: 5ms, 10s."""
    return int(duration[:-2]) / 1000 if duration.endswith("ms") else float(duration[:-1])
