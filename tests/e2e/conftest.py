"""The preconditions of every end-to-end test: the right cluster, and a ready workload in parity mode."""

import subprocess
import uuid
from collections.abc import Iterator

import httpx2
import pytest

from tests.e2e import cluster
from tests.e2e.cluster import SERVICE_URL, WORKLOAD, KubectlError
from tests.polling import poll_until

REMEDY = "run `make e2e`, or `drydock up --mode parity` first"


@pytest.fixture(scope="session", autouse=True)
def environment() -> None:
    """Stop before the first test unless the current context is the test's cluster with the workload in parity mode."""
    current = _current_context()
    if current != cluster.CONTEXT:
        pytest.exit(f"the kube context is {current!r}, not {cluster.CONTEXT!r}: {REMEDY}", returncode=2)
    try:
        deployment = cluster.get("deployment", WORKLOAD.deployment)
    except KubectlError as error:
        pytest.exit(f"{error}: {REMEDY}", returncode=2)
    if reason := not_parity(deployment):
        pytest.exit(f"the workload is not in parity mode: {reason}; {REMEDY}", returncode=2)
    cluster.settle()


@pytest.fixture(autouse=True)
def steady(environment: None) -> Iterator[None]:
    """Wait for a complete and ready workload before and after each test."""
    cluster.settle()
    poll_until(_answers, f"{SERVICE_URL} to be ready", seconds=60)
    yield
    cluster.settle()


@pytest.fixture(scope="module")
def two_pods(environment: None) -> Iterator[None]:
    """Pause the autoscaler at two pods, so that the load of a test does not add others."""
    with cluster.held_at(cluster.FEWEST_PODS):
        yield


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    """A client of the Service from outside the cluster, without retries."""
    with httpx2.Client(base_url=SERVICE_URL, timeout=10) as opened:
        yield opened


@pytest.fixture
def product_id(client: httpx2.Client) -> int:
    """A new product with enough stock for all orders of the test."""
    answer = client.post("/products", json={"name": "e2e", "price_cents": 100, "stock": 100_000})
    assert answer.status_code == 201, answer.text
    created: int = answer.json()["id"]
    return created


@pytest.fixture
def empty_database() -> Iterator[str]:
    """A database without a schema, in the same Postgres."""
    name = f"e2e_{uuid.uuid4().hex[:8]}"
    cluster.query(f"CREATE DATABASE {name}")
    yield name
    cluster.query(f"DROP DATABASE {name} WITH (FORCE)")


def not_parity(deployment: cluster.Object) -> str | None:
    """The reason that a Deployment is not in parity mode, or None."""
    spec = next(
        item
        for item in deployment["spec"]["template"]["spec"]["containers"]
        if item["name"] == cluster.WORKLOAD.container
    )
    if "command" in spec or "args" in spec:
        return f"it overrides the image's command with {spec.get('command', []) + spec.get('args', [])}"
    if not spec["securityContext"].get("readOnlyRootFilesystem"):
        return "its root filesystem is writable"
    return None


def _current_context() -> str:
    # Without --context, because this reads the current one.
    command = [cluster.command()[0], "config", "current-context"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=cluster.environment())
    return done.stdout.strip()


def _answers() -> bool:
    try:
        return httpx2.get(f"{SERVICE_URL}/health/ready", timeout=2).status_code == 200
    except httpx2.HTTPError:
        return False
