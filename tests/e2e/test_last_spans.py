"""The last spans of a process arrive: a request, an immediate SIGTERM, and its trace is in Jaeger."""

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import cluster
from tests.e2e.experiments import deployed_pod_spec, lifecycle, pod
from tests.polling import poll_until
from tests.telemetry.jaeger import Jaeger
from tests.telemetry.stack import TracedRequest

NAME = "e2e-last-spans"
JAEGER = Jaeger(cluster.PROJECT.configuration.telemetry.kind.jaeger)
LABELS = {"app.kubernetes.io/name": cluster.WORKLOAD.deployment}

# Sends one request, and the signal before the next export is due. The server is the first process of its name. It logs
# a request after its response, so the line is written once it has answered a second request.
REQUEST_AND_SIGNAL = """
import os, pathlib, sys
from urllib.request import Request, urlopen

servers = [int(entry.name) for entry in pathlib.Path("/proc").glob("[0-9]*")
           if b"uvicorn" in (entry / "cmdline").read_bytes()]
urlopen(Request("http://127.0.0.1:8000/products/1", headers={"traceparent": sys.argv[1]}), timeout=5).read()
urlopen("http://127.0.0.1:8000/health/live", timeout=5).read()
os.kill(min(servers), int(sys.argv[2]))
"""

type Variant = Callable[[cluster.Object], None]


def as_pid_1(_: cluster.Object) -> None:
    """The unchanged Deployment."""


def not_as_pid_1(spec: cluster.Object) -> None:
    """The pause process is PID 1, as in a pod with a debugging sidecar."""
    spec["shareProcessNamespace"] = True


def with_two_workers(spec: cluster.Object) -> None:
    """A parent process with two workers."""
    spec["containers"][0]["args"] = ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]  # noqa: S104 - inside a pod


VARIANTS: dict[str, Variant] = {"PID 1": as_pid_1, "not PID 1": not_as_pid_1, "--workers 2": with_two_workers}


@pytest.fixture(autouse=True)
def no_pod_left() -> Iterator[None]:
    yield
    cluster.delete("pod", NAME)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_trace_of_the_last_request_arrives(variant: str) -> None:
    request = end_after_one_request(VARIANTS[variant])
    spans = poll_until(lambda: JAEGER.trace(request.trace_id), f"the last trace of {variant}", 20)
    print(f"{variant}: {len(spans)} spans arrived; {flush_line()}")
    assert {span.resource["k8s.pod.name"] for span in spans} == {NAME}


def test_a_process_that_cannot_flush_loses_the_last_trace() -> None:
    """The negative control: SIGKILL instead of SIGTERM. PID 1 would ignore a SIGKILL from inside its namespace."""
    request = end_after_one_request(not_as_pid_1, signal.SIGKILL)
    later = TracedRequest().send(cluster.SERVICE_URL)
    poll_until(lambda: JAEGER.trace(later.trace_id), "a trace that was begun later", 20)
    assert not JAEGER.trace(request.trace_id)


def test_with_the_collector_out_it_stops_in_time_and_says_what_was_lost() -> None:
    request = end_after_one_request(
        lambda spec: set_variable(spec, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://192.0.2.1:4318")
    )
    line = flush_line()
    print(f"collector out: {line}")
    assert line["lost"] == 2, "the route's span and the statement's"
    assert line["seconds"] < 4
    assert not JAEGER.trace(request.trace_id)


def end_after_one_request(change: Variant, end: signal.Signals = signal.SIGTERM) -> TracedRequest:
    """Start a copy of the service's pod, send it one request and immediately the signal, and wait for its end."""
    spec = deployed_pod_spec("deployment", cluster.WORKLOAD.deployment)
    spec["restartPolicy"] = "Never"
    set_variable(spec, "DRAIN_SECONDS", "0")
    change(spec)
    cluster.create(pod(NAME, spec, LABELS))
    cluster.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=90s")
    request = TracedRequest()
    script = ("python", "-", request.headers["traceparent"], str(int(end)))
    try:
        cluster.kubectl("exec", "--stdin", NAME, "--", *script, stdin=REQUEST_AND_SIGNAL)
    except cluster.KubectlError as error:
        # The end of the container also kills the kubectl exec session.
        if "exit code 137" not in str(error):
            raise
    code = poll_until(exit_code, f"{NAME} to end", 45)
    assert request.trace_id in cluster.kubectl("logs", NAME), "it was not asked for anything"
    # uvicorn raises the signal again after its shutdown. This ends every process but PID 1.
    assert code in ("0", str(128 + end)), f"{NAME} ended with {code}"
    return request


def exit_code() -> str | None:
    """The container's exit code, or None while it runs. A string, so that "0" is truthy for poll_until."""
    state = cluster.get("pod", NAME)["status"]["containerStatuses"][0]["state"]
    return str(state["terminated"]["exitCode"]) if "terminated" in state else None


def flush_line() -> cluster.Object:
    """The service's log line about its last spans. With several processes, the one with the most lost spans."""
    lines = [line for line in lifecycle(cluster.kubectl("logs", NAME)) if line["message"] == "telemetry_flushed"]
    return max(lines, key=lambda line: int(line["lost"]))


def set_variable(spec: cluster.Object, name: str, value: str) -> None:
    """Set an environment variable of the service, replacing the deployed value."""
    variables = spec["containers"][0]["env"]
    spec["containers"][0]["env"] = [item for item in variables if item["name"] != name]
    spec["containers"][0]["env"].append({"name": name, "value": value})
