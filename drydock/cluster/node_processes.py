"""The processes of a container, with the process ids of its node."""

from drydock.cluster import docker
from drydock.core.errors import FailedError


def of_container(node: str, container: str) -> list[str]:
    """The process ids of `container`, a containerID from a pod's status, on a node of the cluster.

    The search uses control groups, because a node may lack crictl.

    Raises:
        FailedError: the container has no process.
    """
    identifier = container.rpartition("/")[2]
    search = f"grep --files-with-matches --no-messages {identifier} /proc/[0-9]*/cgroup || true"
    found = [path.split("/")[2] for path in docker.docker("exec", node, "sh", "-c", search).split()]
    if not found:
        raise FailedError(
            f"the container {identifier[:12]} has no process on {node}", "Check that it still runs: kubectl get pods"
        )
    return sorted(found, key=int)
