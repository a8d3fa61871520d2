"""The security restrictions of a container, tested from inside one."""

from collections.abc import Iterator

import pytest

from tests.e2e import cluster
from tests.e2e.experiments import deployed_pod_spec, pod
from tests.polling import poll_until

NAME = "e2e-confined"
CONNECT = "import socket; socket.create_connection(('postgres', 5432), timeout=3); print('connected')"


@pytest.fixture(autouse=True)
def no_pod_left() -> Iterator[None]:
    yield
    cluster.delete("pod", NAME)


def test_the_namespace_refuses_a_privileged_pod() -> None:
    spec = deployed_pod_spec("deployment", cluster.WORKLOAD.deployment)
    spec["containers"][0]["securityContext"] = {"privileged": True}
    with pytest.raises(cluster.KubectlError, match=r'violates PodSecurity "restricted:v1\.36"'):
        cluster.create(pod(NAME, spec, {}))


@pytest.mark.parametrize(
    ("labels", "phase"),
    [({"app.kubernetes.io/name": "migrate"}, "Succeeded"), ({"app.kubernetes.io/name": "stranger"}, "Failed")],
    ids=["a pod that is named in the policies can", "a stranger cannot"],
)
def test_who_reaches_postgres(labels: dict[str, str], phase: str) -> None:
    spec = deployed_pod_spec("job", "migrate")
    spec["containers"][0] |= {"command": ["python", "-c", CONNECT], "env": [], "envFrom": []}
    cluster.create(pod(NAME, spec, labels))
    ended = poll_until(lambda: _phase() in ("Succeeded", "Failed") and _phase(), "the attempt to end", seconds=60)
    assert ended == phase, cluster.kubectl("logs", NAME)


def test_the_shop_reaches_postgres_and_nothing_beyond() -> None:
    assert _in_shop("python", "-c", CONNECT) == "connected"
    elsewhere = CONNECT.replace("('postgres', 5432)", "('kubernetes.default', 443)")
    with pytest.raises(cluster.KubectlError, match="TimeoutError"):
        _in_shop("python", "-c", elsewhere)


def test_the_process_is_the_images_own_command_as_user_10001() -> None:
    command = _in_shop("cat", "/proc/1/cmdline").split("\0")
    assert command[-6:-1] == ["app.main:app", "--host", "0.0.0.0", "--port", "8000"]  # noqa: S104 - inside a pod
    assert command[-7].endswith("/uvicorn")
    assert _in_shop("id", "-u") == "10001"
    assert _in_shop("id", "-g") == "10001"


def test_the_root_filesystem_is_read_only() -> None:
    mounts = [line.split() for line in _in_shop("cat", "/proc/mounts").splitlines()]
    options = {target: options.split(",") for _, target, _, options, *_ in mounts}
    assert "ro" in options["/"]
    with pytest.raises(cluster.KubectlError, match="Read-only file system"):
        _in_shop("python", "-c", "open('/new', 'w')")
    assert _in_shop("python", "-c", "print(open('/tmp/new', 'w').write('x'))") == "1"


def test_the_process_holds_no_token() -> None:
    with pytest.raises(cluster.KubectlError, match="No such file"):
        _in_shop("ls", "/var/run/secrets/kubernetes.io")


def _in_shop(*command: str) -> str:
    output = cluster.kubectl("exec", f"deployment/{cluster.WORKLOAD.deployment}", "--", *command)
    return output.removesuffix("\n")


def _phase() -> str:
    return str(cluster.get("pod", NAME)["status"]["phase"])
