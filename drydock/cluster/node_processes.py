"""The processes of a container, as the node that it runs on counts them."""

from drydock.cluster import docker
from drydock.core.errors import FailedError


def of_container(node: str, container: str) -> list[str]:
    """Their identifiers on a node of our cluster; `container` is a containerID as a pod's status says it.

    Found by their control groups: a node's container need not have crictl.

    Raises:
        FailedError: there are none.
    """
    identifier = container.rpartition("/")[2]
    search = f"grep --files-with-matches --no-messages {identifier} /proc/[0-9]*/cgroup || true"
    found = [path.split("/")[2] for path in docker.docker("exec", node, "sh", "-c", search).split()]
    if not found:
        raise FailedError(
            f"the container {identifier[:12]} has no process on {node}", "kubectl get pods: has it ended?"
        )
    return sorted(found, key=int)
