"""Telemetry tests for every platform. Each platform's test module imports them and provides a running `stack`."""

import statistics
import time
from collections.abc import Callable

import httpx2
import pytest

from tests.polling import poll_until
from tests.telemetry.signals import LOAD, SERVICE, SIGNALS
from tests.telemetry.stack import ROUTE, Stack, TracedRequest

# One scrape interval (5 s), the interval of the collector's metrics (5 s), and time for a busy machine.
ARRIVAL_SECONDS = 40
# The names of the spans that an instrumentation may create for ASGI messages.
ASGI_MESSAGES = ("http send", "http receive")
HOSTILE = 60
MEASUREMENTS = 5


@pytest.fixture(scope="module")
def traced(stack: Stack, smoke: None) -> TracedRequest:
    """A request sent after all the others, with a trace ID of its own."""
    return TracedRequest().send(stack.service)


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_signal_arrives(signal: str, stack: Stack, traced: TracedRequest) -> None:
    poll_until(lambda: SIGNALS[signal](stack, traced), signal, ARRIVAL_SECONDS)


def test_a_trace_that_was_never_sent_does_not_arrive(stack: Stack) -> None:
    """The negative control: the checks that depend on the trace ID fail for a request that was never sent."""
    unsent = TracedRequest()
    about_the_trace = ["route span", "SQL span below it", "log line with the trace id"]
    about_the_pod = ["identity on spans", "identity on log lines", "identity on metrics"]
    assert not [name for name in about_the_trace + about_the_pod if SIGNALS[name](stack, unsent)]


def test_probes_scrapes_and_asgi_messages_create_no_spans(stack: Stack, smoke: None) -> None:
    names = stack.jaeger.operations(SERVICE)
    noise = [name for name in names if "/health" in name or "/metrics" in name or name.endswith(ASGI_MESSAGES)]
    assert not noise, noise
    roots = [span.name for trace in stack.jaeger.recent(SERVICE) for span in trace if span.parent_id is None]
    statements = [name for name in roots if not name.startswith(("GET ", "POST ", "PUT "))]
    assert not statements, f"spans outside any request: {set(statements)}"


def test_hostile_paths_and_methods_create_no_series_and_no_span_names(stack: Stack, smoke: None) -> None:
    series = f'count({{job="{SERVICE}",__name__=~"http_requests_total|http_request_duration_seconds_count"}})'
    counted = f'count(traces_span_metrics_calls_total{{service_name="{SERVICE}"}})'
    before = stack.prometheus.value(series), stack.prometheus.value(counted), len(stack.jaeger.operations(SERVICE))
    for number in range(HOSTILE):
        httpx2.get(f"{stack.service}/no/such/{number}", timeout=10)
        httpx2.request(f"WORD{number}", f"{stack.service}/products", timeout=10)
        httpx2.get(f"{stack.service}/products/{10**6 + number}", timeout=10)
    last = TracedRequest().send(stack.service)
    poll_until(lambda: stack.jaeger.trace(last.trace_id), "the trace of the last request", ARRIVAL_SECONDS)
    not_found = f'http_requests_total{{job="{SERVICE}",handler="{ROUTE}",status="404"}}'
    poll_until(lambda: stack.prometheus.value(not_found) >= HOSTILE, "the hostile requests to be scraped", 20)
    after = stack.prometheus.value(series), stack.prometheus.value(counted), len(stack.jaeger.operations(SERVICE))
    print(f"request series, span metric series, span names: {before} before, {after} after {3 * HOSTILE} requests")
    # Each pod may add a series for a new route, method or status, but not for each of the 180 requests.
    assert max(now - then for now, then in zip(after, before, strict=True)) < HOSTILE / 2


def test_every_target_is_up(stack: Stack) -> None:
    def health() -> set[str]:
        # The judge is a target only while it sends.
        targets = [one for one in stack.prometheus.targets() if one["labels"]["job"] != LOAD]
        return {f"{one['labels']['job']}: {one['health']} {one['lastError']}" for one in targets}

    poll_until(lambda: all(" up " in line for line in health()), f"every target to be up: {health()}", 30)


def test_no_rule_fails(stack: Stack) -> None:
    assert stack.prometheus.value("prometheus_rule_group_rules") > 0, "no rules are loaded"
    assert stack.prometheus.value("increase(prometheus_rule_evaluation_failures_total[5m])") == 0


def test_grafana_links_exemplars_to_traces_and_traces_to_metrics(stack: Stack) -> None:
    sources = {source["uid"]: source for source in httpx2.get(f"{stack.grafana}/api/datasources", timeout=10).json()}
    exemplars = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert exemplars == [{"name": "trace_id", "datasourceUid": "jaeger"}]
    metrics = sources["jaeger"]["jsonData"]["tracesToMetrics"]
    assert metrics["datasourceUid"] == "prometheus"
    for query in metrics["queries"]:
        sent = query["query"].replace("$__tags", f'job="{SERVICE}"')
        stack.prometheus.samples(sent)


def test_the_trace_and_the_sample_of_a_request_arrive(stack: Stack) -> None:
    """Prints the seconds from a request to its trace and to its sample. Asserts only that both arrive."""
    traces, samples = [], []
    count = f'http_requests_total{{job="{SERVICE}",handler="{ROUTE}",status="200"}}'
    for _ in range(MEASUREMENTS):
        before = stack.prometheus.value(count)
        request = TracedRequest().send(stack.service)
        traces.append(_seconds(lambda sent=request: stack.jaeger.trace(sent.trace_id)))  # type: ignore[misc]
        samples.append(_seconds(lambda seen=before: stack.prometheus.value(count) > seen))  # type: ignore[misc]
    print(f"seconds to the trace in Jaeger: {_summary(traces)}; to the sample in Prometheus: {_summary(samples)}")


def _seconds(check: Callable[[], object]) -> float:
    began = time.monotonic()
    poll_until(check, "the request to appear", ARRIVAL_SECONDS)
    return time.monotonic() - began


def _summary(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.1f} of {', '.join(f'{value:.1f}' for value in sorted(seconds))}"
