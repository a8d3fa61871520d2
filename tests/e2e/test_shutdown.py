"""Pods that leave under load finish what they began, in order, and nobody notices."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from tests.e2e import cluster
from tests.e2e.endings import Ending
from tests.e2e.requests import Outcome, SteadyRequests
from tests.lifecycle import SHUTDOWN
from tests.polling import poll_until

pytestmark = pytest.mark.usefixtures("two_pods")  # its 60 requests a second would bring a third one

# In k8s/base/shop.env.
DRAIN_SECONDS = 5
REVISION = "deployment.kubernetes.io/revision"
# An unprotected rollout lost 9 of 888 requests; three in a row that lose none would be a miracle.
ROLLOUTS = 3


def test_a_deleted_pod_loses_no_request(product_id: int) -> None:
    pod = cluster.shop_pods()[0]
    with Ending(pod) as ending:
        with SteadyRequests(product_id) as load:
            _warm_up(load)
            cluster.kubectl("delete", "pod", pod, "--wait=false")
            ending.wait()
            cluster.settle()
        assert_nothing_lost(load)
        assert_ended_well(ending)


def test_a_rollout_loses_no_request(product_id: int) -> None:
    with contextlib.ExitStack() as stack:
        endings = [stack.enter_context(Ending(pod)) for pod in cluster.shop_pods()]
        with SteadyRequests(product_id) as load:
            _warm_up(load)
            cluster.kubectl("rollout", "restart", f"deployment/{cluster.WORKLOAD.deployment}")
            cluster.settle()
            for ending in endings:
                ending.wait()
        assert_nothing_lost(load)
        for ending in endings:
            assert_ended_well(ending)
        assert {outcome.served_by for outcome in load.outcomes} >= {*cluster.shop_pods()}


def test_the_same_rollout_without_protection_loses_requests(product_id: int) -> None:
    """The negative control: without preStop and drain the account must find losses, or it proves nothing above."""
    lost: list[Outcome] = []
    with unprotected(), SteadyRequests(product_id) as load:
        _warm_up(load)
        for _ in range(ROLLOUTS):
            before = cluster.shop_pods()
            cluster.kubectl("rollout", "restart", f"deployment/{cluster.WORKLOAD.deployment}")
            cluster.settle()
            cluster.kubectl("wait", "--for=delete", *(f"pod/{pod}" for pod in before), "--timeout=60s")
            if lost := load.lost:
                break
    assert lost, f"nothing lost in {ROLLOUTS} rollouts: {load.summary()}"


@contextlib.contextmanager
def unprotected() -> Iterator[None]:
    """The Deployment without what protects its requests at the end of a pod; afterwards it is as it was."""
    name = f"deployment/{cluster.WORKLOAD.deployment}"
    revision = cluster.get("deployment", cluster.WORKLOAD.deployment)["metadata"]["annotations"][REVISION]
    container = {
        "name": cluster.WORKLOAD.container,
        "lifecycle": None,
        "env": [{"name": "DRAIN_SECONDS", "value": "0"}],
    }
    cluster.kubectl("patch", name, "--patch", json.dumps({"spec": {"template": {"spec": {"containers": [container]}}}}))
    try:
        cluster.settle()
        yield
    finally:
        cluster.kubectl("rollout", "undo", name, f"--to-revision={revision}")
        cluster.settle()


def _warm_up(load: SteadyRequests) -> None:
    poll_until(lambda: len(load.outcomes) > 100, "a hundred requests before anything happens")
    assert not load.lost, f"the steady state does not hold: {load.summary()}"


def assert_nothing_lost(load: SteadyRequests) -> None:
    print(f"{len(load.outcomes)} requests, {len(load.lost)} lost: {load.summary()}")
    assert not load.lost, f"{len(load.lost)} of {len(load.outcomes)} lost: {load.summary()}"
    placed = cluster.query("SELECT count(*) FROM order_lines WHERE product_id = :'id'", id=load.product_id)
    sold = cluster.query("SELECT stocked - stock FROM products WHERE id = :'id'", id=load.product_id)
    assert [str(len(load.acknowledged_orders))] == placed == sold, "every acknowledged order is there, exactly once"


def assert_ended_well(ending: Ending) -> None:
    events = [event for event in ending.events if event in SHUTDOWN]
    assert events == SHUTDOWN, f"{ending.name} logged {ending.events}"
    assert ending.exit_code == 0
    drained = ending.seconds_between("draining", "drained")
    assert drained == pytest.approx(DRAIN_SECONDS, abs=1), "the listener stays open for the drain"
