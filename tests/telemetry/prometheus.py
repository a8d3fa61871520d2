"""A client of Prometheus's HTTP API."""

import math
from dataclasses import dataclass
from typing import Any

import httpx2

TIMEOUT_SECONDS = 10


@dataclass(frozen=True)
class Prometheus:
    """The HTTP API of a running Prometheus."""

    url: str

    def samples(self, expression: str, time: float | None = None) -> list[tuple[dict[str, str], float]]:
        """The labels and values of an instant query, at `time` in Unix seconds. Fails if it is not valid PromQL."""
        at = {} if time is None else {"time": str(time)}
        result = self._ask("query", query=expression, **at)["result"]
        if isinstance(result, list) and result and not isinstance(result[0], dict):
            return [({}, float(result[1]))]
        return [(item["metric"], float(item["value"][1])) for item in result]

    def value(self, expression: str) -> float:
        """The sum of an instant query's values. 0 if there are none."""
        return sum(value for _, value in self.samples(expression) if not math.isnan(value))

    def over(self, expression: str, begin: float, end: float, step: float) -> list[tuple[dict[str, str], list[float]]]:
        """The labels of each series of a range query, and the values that it had."""
        limits = {"start": str(begin), "end": str(end), "step": str(step)}
        found = self._ask("query_range", query=expression, **limits)["result"]
        values = [(item["metric"], [float(value) for _, value in item["values"]]) for item in found]
        return [(labels, [it for it in known if not math.isnan(it)]) for labels, known in values]

    def exemplars(self, expression: str, seconds: float) -> list[dict[str, Any]]:
        """The exemplars of the last `seconds`, with the labels of their series."""
        now = float(self._ask("query", query="time()")["result"][1])
        found = self._ask("query_exemplars", query=expression, start=str(now - seconds), end=str(now))
        return [{**item["seriesLabels"], **one["labels"]} for item in found for one in item["exemplars"]]

    def metrics(self) -> set[str]:
        """The names of all stored metrics."""
        names: list[str] = self._ask("label/__name__/values")
        return set(names)

    def targets(self) -> list[dict[str, Any]]:
        """The active scrape targets with their health."""
        found: list[dict[str, Any]] = self._ask("targets", state="active")["activeTargets"]
        return found

    def _ask(self, endpoint: str, **parameters: str) -> Any:
        answer = httpx2.get(f"{self.url}/api/v1/{endpoint}", params=parameters, timeout=TIMEOUT_SECONDS)
        assert answer.status_code == 200, f"{parameters}: {answer.text}"
        return answer.json()["data"]
