"""The local registry: the target of Tilt's pushes, and an offline mirror of every pinned image for new clusters."""

import io
import tarfile
from collections.abc import Iterable, Mapping

import httpx2

from drydock.cluster import docker
from drydock.cluster.images import Reference
from drydock.core.console import Step, message
from drydock.core.errors import CannotRunError, FailedError
from drydock.system.ports import LOOPBACK
from drydock.system.wait import wait_until

NAME = "drydock-registry"  # the container, its volume, and its host name on the network of the nodes
IMAGE = "registry:3"
PORT = 5001
ADDRESS = f"localhost:{PORT}"
NETWORK = "kind"  # the network that kind gives its nodes
START_SECONDS = 20.0

# The mirrored registries, and the address that containerd asks for images that the mirror lacks.
MIRRORED: Mapping[str, str] = {
    "docker.io": "https://registry-1.docker.io",
    "quay.io": "https://quay.io",
    "ghcr.io": "https://ghcr.io",
    "registry.k8s.io": "https://registry.k8s.io",
}
MANIFEST_TYPES = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in (
        "oci.image.manifest.v1",
        "oci.image.index.v1",
        "docker.distribution.manifest.v2",
        "docker.distribution.manifest.list.v2",
    )
)


def start() -> None:
    """Creates or starts the container, loopback only on the host, and waits until it answers.

    Raises:
        CannotRunError: its port is taken, or it does not answer.
    """
    try:
        _start_container()
    except FailedError as error:
        if docker.container_state(NAME) == "created":  # it would stay in the way of the next attempt
            docker.docker("rm", "--force", NAME)
        remedy = docker.port_remedy(error.reason) or error.remedy or f"Look at `docker logs {NAME}`."
        raise CannotRunError(f"the registry does not start: {error.reason}", remedy) from error
    if not wait_until(_answers, START_SECONDS):
        raise CannotRunError(f"the registry does not answer at {ADDRESS}", f"Look at `docker logs {NAME}`.")


def join_network() -> None:
    """Puts the registry on the network of the nodes, which exists once the cluster does."""
    networks = docker.docker(
        "inspect", "--format", "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}", NAME
    )
    if NETWORK not in networks.split():
        docker.docker("network", "connect", NETWORK, NAME)


def push_missing(images: Iterable[str], progress: Step) -> None:
    """Pushes the images it lacks, each under the path of the registry that publishes it.

    Warns of each image that cannot be pushed, and continues: the nodes then pull it from its publisher.
    """
    images = [image for image in images if "@" not in image]  # a digest names an index that the engine does not hold
    missing = [image for image in images if not holds(image)]
    failed = 0
    for number, image in enumerate(missing, start=1):
        progress.detail = f"pushing {image} ({number} of {len(missing)})"
        failed += not _push(image)
    failures = f", {failed} failed" if failed else ""
    progress.detail = f"{len(images)} images, {len(missing) - failed} pushed{failures}"


def holds(image: str) -> bool:
    """Whether the registry serves the image.

    Raises:
        CannotRunError: it does not answer.
    """
    reference = Reference.parse(image)
    url = f"http://{LOOPBACK}:{PORT}/v2/{reference.mirrored}/manifests/{reference.tag}"
    try:
        return httpx2.head(url, headers={"Accept": MANIFEST_TYPES}, timeout=5, trust_env=False).is_success
    except httpx2.HTTPError as error:
        reason = f"the registry does not answer at {LOOPBACK}:{PORT}: {error}"
        raise CannotRunError(reason, f"Look at `docker logs {NAME}`, and run again.") from error


def remove() -> bool:
    """Removes the container and the images it keeps; False where there was none."""
    found = docker.container_state(NAME) is not None
    docker.docker("rm", "--force", "--volumes", NAME)
    docker.docker("volume", "rm", "--force", NAME)
    return found


def hosts_files() -> Mapping[str, str]:
    """containerd's configuration of each registry: path below /etc/containerd/certs.d, and content."""
    # localhost is the node itself there, so the name that the engine knows is mapped to the container.
    files = {f"{ADDRESS}/hosts.toml": f'[host."http://{NAME}:5000"]\n'}
    for registry, publisher in MIRRORED.items():
        mirror = (
            f'[host."http://{NAME}:5000/v2/{registry}"]\ncapabilities = ["pull", "resolve"]\noverride_path = true\n'
        )
        files[f"{registry}/hosts.toml"] = f'server = "{publisher}"\n\n{mirror}'
    return files


def teach(node: str) -> None:
    """Tells a node's containerd of the registry; it reads these files at each pull."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, content in hosts_files().items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content.encode()))
    folder = "/etc/containerd/certs.d"
    unpack = f"mkdir -p {folder} && tar -x -C {folder}"
    docker.docker("exec", "--interactive", node, "sh", "-c", unpack, stdin=archive.getvalue())


def hosting() -> str:
    """The ConfigMap by which tools find a cluster's registry (KEP-1755).

    It states no hostFromContainerRuntime: Tilt would write that name into the pods, and the nodes know the registry by
    the same name as this machine does.
    """
    return f"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: local-registry-hosting
  namespace: kube-public
data:
  localRegistryHosting.v1: |
    host: {ADDRESS}
    help: https://kind.sigs.k8s.io/docs/user/local-registry/
"""


def _start_container() -> None:
    state = docker.container_state(NAME)
    if state is None:
        publish, volume = f"{LOOPBACK}:{PORT}:5000", f"{NAME}:/var/lib/registry"
        docker.docker(
            "run", "--detach", "--name", NAME, "--restart", "unless-stopped", "-p", publish, "-v", volume, IMAGE
        )
    elif state != "running":
        docker.docker("start", NAME)


def _push(image: str) -> bool:
    """Pushes the image. Prints a warning and returns False if that fails."""
    reference = Reference.parse(image)
    local = f"{ADDRESS}/{reference.mirrored}:{reference.tag}"
    try:
        docker.docker("tag", image, local)
        docker.docker("push", "--quiet", local)
    except CannotRunError:
        raise
    except FailedError as error:
        reason = error.reason.splitlines()[-1]
        message(f"warning: {image} was not pushed to the registry; the nodes pull it from its publisher ({reason})")
        return False
    return True


def _answers() -> bool:
    try:
        return httpx2.get(f"http://{LOOPBACK}:{PORT}/v2/", timeout=2, trust_env=False).is_success
    except httpx2.HTTPError:
        return False
