"""`drydock status` shows the CPU and rate that the autoscaler reads, and the cause if a metric is missing."""

import re
import time

import pytest

from drydock.cluster import addons, autoscaler
from drydock.cluster.platform import KindPlatform
from drydock.core.console import Step
from drydock.doctor import survey
from tests.e2e import cluster
from tests.polling import poll_until

# Two samples of metrics-server, 15 s apart, after the start of the pod or of metrics-server, and one controller sync.
FIRST_VALUE_SECONDS = 120
VALUE = re.compile(r"cpu \d+%/60%, rate [\d.]+/15, [2-5] of 2\.\.5 pods")


def test_kubectl_top_shows_every_pod() -> None:
    def ask() -> bool:
        return set(cluster.shop_pods()) <= {line.split()[0] for line in top()}

    poll_until(ask, "kubectl top to show every pod", seconds=FIRST_VALUE_SECONDS)


def test_the_autoscaler_reads_a_value_and_status_shows_it() -> None:
    poll_until(lambda: VALUE.fullmatch(line().text), f"{VALUE.pattern} in the status", seconds=FIRST_VALUE_SECONDS)
    assert line().healthy


def test_without_metrics_server_the_status_names_the_remedy_and_up_puts_it_back() -> None:
    platform = KindPlatform(cluster.PROJECT)
    platform.cluster.call("--namespace", "kube-system", "delete", "deployment", "metrics-server", "--wait")
    try:
        poll_until(lambda: autoscaler.MISSING in line().text, f"'{autoscaler.MISSING}' in the status", seconds=60)
        assert not line().healthy
    finally:
        began = time.monotonic()
        for folder in addons.assemble(cluster.PROJECT, Step("releases")):
            addons.install(platform.cluster, folder)
    poll_until(lambda: line().healthy, "the autoscaler to read a value again", seconds=FIRST_VALUE_SECONDS)
    print(f"\nthe autoscaler reads a value {time.monotonic() - began:.0f} s after metrics-server was created")


@pytest.mark.parametrize(
    ("program", "cause"),
    [("keda-operator", autoscaler.KEDA_NOT_READY), ("keda-metrics-apiserver", autoscaler.API_UNAVAILABLE)],
)
def test_without_a_program_of_keda_the_status_names_it(program: str, cause: str) -> None:
    in_keda = ("--namespace", "keda")
    cluster.kubectl(*in_keda, "scale", f"deployment/{program}", "--replicas=0")
    try:
        poll_until(lambda: cause in line().text, f"'{cause}' in the status", seconds=60)
        assert not line().healthy
    finally:
        cluster.kubectl(*in_keda, "scale", f"deployment/{program}", "--replicas=1")
    began = time.monotonic()
    poll_until(lambda: line().healthy, "the autoscaler to read a value again", seconds=FIRST_VALUE_SECONDS)
    print(f"\nthe autoscaler reads a rate {time.monotonic() - began:.0f} s after {program} was started")


def test_a_held_autoscaler_says_so_and_how_to_resume_it() -> None:
    with cluster.held_at(cluster.FEWEST_PODS):
        assert autoscaler.PAUSE in line().text
        assert not line().healthy


def line() -> survey.StatusLine:
    """The line of `drydock status` about the autoscaler."""
    lines = survey.survey(cluster.PROJECT)
    return next(item for item in lines if item.group == "hpa" and item.name == cluster.WORKLOAD.deployment)


def top() -> list[str]:
    """The lines of `kubectl top pods`. Empty while there are no metrics."""
    try:
        return cluster.kubectl("top", "pods", "--no-headers").splitlines()
    except cluster.KubectlError:
        return []
