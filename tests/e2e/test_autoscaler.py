"""The autoscaler reads the CPU of the pods, and says so; without metrics-server it says that too."""

import re
import time

from drydock import addons, autoscaler, status
from drydock.kind_platform import KindPlatform
from drydock.progress import Step
from tests.e2e import cluster
from tests.polling import poll_until

# Two samples of metrics-server, 15 s apart, after a pod's start or its own, and a look of the controller.
FIRST_VALUE_SECONDS = 120
VALUE = re.compile(r"cpu \d+%/60%, [2-5] of 2\.\.5 pods")


def test_kubectl_top_shows_every_pod() -> None:
    def ask() -> bool:
        return set(cluster.shop_pods()) <= {line.split()[0] for line in top()}

    poll_until(ask, "kubectl top to show every pod", seconds=FIRST_VALUE_SECONDS)


def test_the_autoscaler_reads_a_value_and_status_shows_it() -> None:
    poll_until(lambda: VALUE.fullmatch(line().text), f"{VALUE.pattern} in the status", seconds=FIRST_VALUE_SECONDS)
    assert line().well


def test_without_metrics_server_the_status_names_the_remedy_and_up_puts_it_back() -> None:
    platform = KindPlatform(cluster.PROJECT)
    platform.cluster.call("--namespace", "kube-system", "delete", "deployment", "metrics-server", "--wait")
    try:
        poll_until(lambda: autoscaler.MISSING in line().text, f"'{autoscaler.MISSING}' in the status", seconds=60)
        assert not line().well
    finally:
        began = time.monotonic()
        for folder in addons.assemble(cluster.PROJECT, Step("releases")):
            addons.install(platform.cluster, folder)
    poll_until(lambda: line().well, "the autoscaler to read a value again", seconds=FIRST_VALUE_SECONDS)
    print(f"\nthe autoscaler reads a value {time.monotonic() - began:.0f} s after metrics-server was created")


def line() -> status.Line:
    """What `drydock status` says of the autoscaler."""
    return next(item for item in status.survey(cluster.PROJECT) if item.group == "hpa")


def top() -> list[str]:
    """The lines of `kubectl top pods`; none while there are no metrics."""
    try:
        return cluster.kubectl("top", "pods", "--no-headers").splitlines()
    except cluster.KubectlError:
        return []
