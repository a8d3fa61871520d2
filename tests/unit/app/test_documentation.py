"""docs/reference/service.md lists every variable and every metric of the service."""

import re
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import Metric
from pydantic import SecretStr

import app.main
import app.receipts.metrics  # noqa: F401 - importing service and worker registers their metrics
from app.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "service.md"
# Prefixes of the metrics that the client library adds.
LIBRARY = ("process_", "python_", "target")


def first_columns(head: str) -> dict[str, str]:
    """The first and second column of the table whose first column has this heading."""
    table = PAGE.read_text().partition(f"\n| {head} |")[2].partition("\n\n")[0]
    return dict(re.findall(r"^\| `(\w+)` \| ([^|]*?) ?\|", table, re.MULTILINE))


def test_every_variable_is_documented_with_its_default() -> None:
    settings = {
        name.upper(): "unset" if field.default is None else str(field.default).lower()
        for name, field in Settings.model_fields.items()
        if not field.is_required() and field.default_factory is None
    }
    documented = {name: default.strip("`") for name, default in first_columns("variable").items()}
    assert documented == {**settings, "DATABASE_URL": "required", "POD_NAME": "the host's name"}


def test_every_metric_is_documented() -> None:
    exported = {series(metric) for metric in REGISTRY.collect() if not metric.name.startswith(LIBRARY)}
    assert first_columns("metric").keys() == exported


def test_the_database_url_is_a_secret() -> None:
    assert Settings.model_fields["database_url"].annotation is SecretStr


def series(metric: Metric) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else metric.name
