"""A missing metric never triggers scale-in. The autoscaler may still scale out on the other metrics."""

import contextlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from drydock.cluster import autoscaler
from drydock.doctor import examination, survey
from drydock.doctor.checks import Level
from tests.e2e import cluster
from tests.e2e.cluster import FEWEST_PODS, WORKLOAD
from tests.e2e.outages import stopped
from tests.polling import poll_until

pytestmark = pytest.mark.usefixtures("short_window")

# Cores to burn in each pod. The CPU request is 0.25 cores, the target 60 % of that.
BURN_CORES = 0.5
# One sample of metrics-server (15 s), two syncs of the HPA controller, and time for a busy machine.
SCALE_UP_SECONDS = 90
# The stabilisation window during these tests: one sync of the HPA controller. In k8s/autoscaling it is 60 s.
WINDOW_SECONDS = 15
# One pod is removed every 30 s.
SCALE_IN_SECONDS = WINDOW_SECONDS + 90
# Longer than the stabilisation window, so that an unwanted scale-in would have happened.
HOLD_SECONDS = WINDOW_SECONDS + 45
NOTICED_SECONDS = 60
# This file in a pod ends the burning.
ENOUGH = "/tmp/burnt-enough"  # noqa: S108 - a pod's own
BURN = f"""
import os, time
end = time.monotonic() + {SCALE_UP_SECONDS}
while time.monotonic() < end and not os.path.exists({ENOUGH!r}):
    busy = time.monotonic() + {BURN_CORES} / 10
    while time.monotonic() < busy:
        pass
    time.sleep({1 - BURN_CORES} / 10)
"""
NO_SERIES = "sum(rate(there_is_no_such_total[30s]))"


@pytest.fixture(scope="module")
def short_window(environment: None) -> Iterator[None]:
    """Shorten the stabilisation window, so that an unwanted scale-in happens sooner."""
    name = ("scaledobject", WORKLOAD.deployment)
    down = cluster.get(*name)["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    before = down["stabilizationWindowSeconds"]
    _patch(window(WINDOW_SECONDS))
    try:
        poll_until(lambda: replicas() == FEWEST_PODS, "the pods of earlier load to be removed", SCALE_IN_SECONDS)
        cluster.settle()
        yield
    finally:
        _patch(window(before))


def window(seconds: int) -> cluster.Object:
    """The part of a ScaledObject that sets the stabilisation window of its scale-in."""
    behavior = {"scaleDown": {"stabilizationWindowSeconds": seconds}}
    return {"advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}}}


def test_with_prometheus_down_cpu_still_adds_pods_and_none_is_taken_away() -> None:
    with stopped("prometheus"):
        poll_until(lambda: autoscaler.PROMETHEUS_DOWN in line().text, "the status to name Prometheus", NOTICED_SECONDS)
        assert not line().healthy
        assert_doctor_warns(autoscaler.PROMETHEUS_DOWN)
        with burning_cpu():
            began = time.monotonic()
            poll_until(lambda: replicas() > FEWEST_PODS, "CPU alone to add a pod", SCALE_UP_SECONDS)
            print(f"\nCPU alone added a pod {time.monotonic() - began:.0f} s after its load began")
        poll_until(lambda: "cpu unknown" not in line().text and cpu() < 20, "the CPU to be idle again", 90)
        raised = replicas()
        assert_held(raised)
        assert "rate unknown" in line().text
    began = time.monotonic()
    poll_until(lambda: line().healthy, "the autoscaler to see again", NOTICED_SECONDS)
    print(f"it sees again {time.monotonic() - began:.0f} s after Prometheus is back")
    poll_until(lambda: replicas() == FEWEST_PODS, f"{FEWEST_PODS} pods again", SCALE_IN_SECONDS)
    print(f"from {raised} to {FEWEST_PODS} pods {time.monotonic() - began:.0f} s after Prometheus is back")


def test_a_query_without_a_result_takes_no_pod_away() -> None:
    with trigger(query=NO_SERIES):
        poll_until(lambda: autoscaler.NO_RESULT in line().text, "the status to name the query", NOTICED_SECONDS)
        assert_doctor_warns(autoscaler.NO_RESULT)
        one_pod_more()
        assert_held(FEWEST_PODS + 1)


def test_kedas_own_default_would_take_it_away() -> None:
    """The negative control: if a missing series counts as zero, the same pod is removed."""
    with trigger(query=NO_SERIES, ignoreNullValues="true"):
        poll_until(lambda: "rate 0/15" in line().text, "the missing series to be read as zero", NOTICED_SECONDS)
        one_pod_more()
        poll_until(lambda: replicas() == FEWEST_PODS, "the pod to be taken away", SCALE_IN_SECONDS)


def line() -> survey.StatusLine:
    """The line of `drydock status` about the service's autoscaler."""
    lines = survey.survey(cluster.PROJECT)
    return next(item for item in lines if item.group == "hpa" and item.name == WORKLOAD.deployment)


def cpu() -> int:
    """The CPU utilisation that the autoscaler reads, in percent of the request."""
    metrics = cluster.get("hpa", WORKLOAD.deployment)["status"]["currentMetrics"]
    return next(
        int(item["resource"]["current"]["averageUtilization"]) for item in metrics if item["type"] == "Resource"
    )


def replicas() -> int:
    """The desired number of replicas."""
    return int(cluster.get("deployment", WORKLOAD.deployment)["spec"]["replicas"])


def one_pod_more() -> None:
    """Add a pod that no metric requires."""
    cluster.kubectl("scale", f"deployment/{WORKLOAD.deployment}", f"--replicas={FEWEST_PODS + 1}")


def assert_held(pods: int) -> None:
    """Assert that no pod is removed for longer than the stabilisation window."""
    until = time.monotonic() + HOLD_SECONDS

    def held() -> bool:
        assert replicas() >= pods, f"scaled in to {replicas()} pods: {line().text}"
        return time.monotonic() > until

    poll_until(held, "the hold to last", HOLD_SECONDS + 30)


def assert_doctor_warns(cause: str) -> None:
    """Assert that `drydock doctor` names the same cause as a warning."""
    findings = examination.autoscalers(cluster.PROJECT)
    assert any(cause in finding.remedy and finding.level is Level.WARNING for finding in findings), findings


@contextlib.contextmanager
def burning_cpu() -> Iterator[None]:
    """Burn CPU in every pod's container, where the autoscaler measures it."""
    pods = cluster.shop_pods()
    with ThreadPoolExecutor(len(pods)) as threads:
        running = [threads.submit(_python, pod, BURN) for pod in pods]
        try:
            yield
        finally:
            for pod in pods:
                _python(pod, f"open({ENOUGH!r}, 'w')")
            for burned in running:
                burned.result()
            for pod in pods:
                _python(pod, f"import os; os.remove({ENOUGH!r})")


def _python(pod: str, code: str) -> None:
    cluster.kubectl("exec", pod, "--", "python", "-c", code, seconds=SCALE_UP_SECONDS + 60)


@contextlib.contextmanager
def trigger(**metadata: str) -> Iterator[None]:
    """Change the settings of the rate trigger during the block."""
    name = ("scaledobject", WORKLOAD.deployment)
    before = cluster.get(*name)["spec"]["triggers"]
    changed = json.loads(json.dumps(before))
    next(item for item in changed if item["name"] == "rate")["metadata"] |= metadata
    try:
        _patch({"triggers": changed})
        yield
    finally:
        _patch({"triggers": before})
        poll_until(lambda: line().healthy, "the autoscaler to see again", NOTICED_SECONDS)


def _patch(spec: cluster.Object) -> None:
    patch = json.dumps({"spec": spec})
    cluster.kubectl("patch", "scaledobject", WORKLOAD.deployment, "--type", "merge", "--patch", patch)
