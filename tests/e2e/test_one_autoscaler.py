"""Each start leaves exactly one autoscaler, and a change of autoscaler removes no pod."""

import subprocess
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

import pytest

from drydock.cluster.stack import Autoscaling, Mode, Part, Stack
from tests.e2e import cluster
from tests.e2e.cluster import FEWEST_PODS, WORKLOAD
from tests.polling import INTERVAL_SECONDS, poll_until

UP_SECONDS = 600
KEDA, CPU = Stack(Mode.PARITY), Stack(Mode.PARITY, without=(Part.KEDA,))
DEV = Stack(Mode.DEV)


@pytest.fixture(scope="module", autouse=True)
def parity_again(environment: None) -> Iterator[None]:
    yield
    up(KEDA)


def test_from_keda_to_cpu_and_back_there_is_one_autoscaler_and_never_less_than_two_pods() -> None:
    with FewestPods() as watched:
        for stack in (CPU, KEDA):
            up(stack)
            poll_until(lambda stack=stack: the_one(stack), f"the autoscaler of {stack.autoscaling}", seconds=120)  # type: ignore[misc]
            assert installed() == (stack is KEDA)
    assert watched.fewest >= FEWEST_PODS


@pytest.mark.nightly
def test_dev_mode_has_one_autoscaler_too_which_keeps_to_one_pod() -> None:
    up(DEV)
    poll_until(lambda: the_one(DEV), "dev mode's autoscaler", seconds=120)
    poll_until(lambda: len(cluster.shop_pods()) == 1, "one pod", seconds=120)
    up(KEDA)
    poll_until(lambda: the_one(KEDA), "parity's autoscaler", seconds=120)


def up(stack: Stack) -> None:
    """Run `drydock up`."""
    command = [str(cluster.PROJECT.root / ".venv/bin/drydock"), "up", "--detach", *stack.arguments]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=cluster.PROJECT.root, capture_output=True, text=True, check=False, timeout=UP_SECONDS
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(f"\ndrydock up {' '.join(stack.arguments)}: {time.monotonic() - began:.0f} s")


def the_one(stack: Stack) -> bool:
    """Whether the service has exactly this stack's autoscaler, and KEDA manages no other."""
    listed = cluster.kubectl("get", "hpa", "--output", TARGETS).splitlines()
    ours = [line.split() for line in listed if line.split()[1] == WORKLOAD.deployment]
    maker = "ScaledObject" if stack.autoscaling is Autoscaling.KEDA else "none"
    most = "1" if stack.autoscaling is Autoscaling.ONE else "5"
    return ours == [[WORKLOAD.deployment, WORKLOAD.deployment, most, maker]] and scaled_objects() == (
        stack.autoscaling is Autoscaling.KEDA
    )


TARGETS = (
    "go-template={{range .items}}{{.metadata.name}} {{.spec.scaleTargetRef.name}} {{.spec.maxReplicas}} "
    '{{with .metadata.ownerReferences}}{{(index . 0).kind}}{{else}}none{{end}}{{"\\n"}}{{end}}'
)


def scaled_objects() -> bool:
    """Whether a ScaledObject exists for the service."""
    try:
        return bool(cluster.kubectl("get", "scaledobjects", "--output", "name"))
    except cluster.KubectlError:  # the cluster has no such resource type
        return False


def installed() -> bool:
    """Whether KEDA is installed."""
    return bool(cluster.kubectl("get", "namespace", "keda", "--ignore-not-found", "--output", "name"))


class FewestPods:
    """The smallest number of ready pods while the `with` block runs."""

    def __enter__(self) -> Self:
        self.fewest, self._stop = len(cluster.shop_pods()), threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(INTERVAL_SECONDS):
            status = cluster.get("deployment", WORKLOAD.deployment)["status"]
            self.fewest = min(self.fewest, status.get("readyReplicas", 0))
