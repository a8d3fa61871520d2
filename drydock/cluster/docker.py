"""The container engine, through the `docker` program, which handles contexts, credentials and DOCKER_HOST."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from drydock.core.errors import CannotRunError, FailedError
from drydock.system.ports import listeners_command
from drydock.system.processes import output, succeeds

ANSWER_SECONDS = 15.0
REMEDY = (
    "Start Docker or install it (docs.docker.com/get-started/get-docker)."
    " Without Docker, `drydock up` runs the local platform."
)

# How Docker Engine and Docker Desktop word it.
PORT_TAKEN = ("port is already allocated", "Ports are not available", "address already in use")
# How the engine words an error 404 for a file (moby, daemon/archive.go) and for a container.
ABSENT = ("Could not find the file", "No such container")
TAKEN_PORT = re.compile(r"(?:Bind for|exposing port TCP|listen tcp\d?) \S*:(\d+)")


def information() -> dict[str, Any]:
    """The engine's state, from `docker info`.

    Raises:
        CannotRunError: the engine does not answer.
    """
    try:
        answer: dict[str, Any] = json.loads(
            output(["docker", "info", "--format", "{{json .}}"], timeout=ANSWER_SECONDS)
        )
    except FailedError as error:
        raise CannotRunError(f"Docker is not reachable: {error.reason.splitlines()[-1]}", REMEDY) from error
    if not answer.get("ServerVersion"):
        reasons = "; ".join(answer.get("ServerErrors") or ["`docker info` has no server version"])
        raise CannotRunError(f"Docker is not reachable: {reasons}", REMEDY)
    return answer


def components() -> list[str]:
    """The names of the engine's parts, as `docker version` has them: Podman's differ.

    Raises:
        FailedError: the engine names none.
    """
    server = json.loads(output(["docker", "version", "--format", "{{json .Server}}"], timeout=ANSWER_SECONDS)) or {}
    return [str(component["Name"]) for component in server.get("Components") or []]


def port_remedy(reason: str) -> str | None:
    """The remedy for a container whose port is taken; None if `reason` is another one."""
    if not any(text in reason for text in PORT_TAKEN):
        return None
    found = TAKEN_PORT.search(reason)
    look = listeners_command(int(found[1])) if found else "drydock doctor"
    return (
        f"Stop the program that holds the port (`{look}` shows it). "
        "To move a port of the cluster instead, change it in k8s/kind.yaml and in drydock.toml."
    )


def unreachable() -> str | None:
    """The reason why the engine does not answer; None if it does."""
    try:
        information()
    except CannotRunError as error:
        return error.reason
    return None


def has_image(reference: str) -> bool:
    """Whether the engine has the image."""
    return succeeds(["docker", "image", "inspect", reference])


def pull(reference: str) -> None:
    """Pulls an image.

    Raises:
        CannotRunError: the pull failed.
    """
    try:
        docker("pull", "--quiet", reference)
    except FailedError as error:
        remedy = f"Check the network, or load the image yourself: docker load, then docker tag ... {reference}"
        raise CannotRunError(f"{reference} could not be pulled: {error.reason}", remedy) from error


def container_state(name: str) -> str | None:
    """The container's state, such as `running` or `exited`; None if there is no such container."""
    found = output(["docker", "ps", "--all", "--filter", f"name=^{name}$", "--format", "{{.State}}"]).split()
    return found[0] if found else None


def containers(*filters: str) -> dict[str, str]:
    """The state of each container that matches all `filters` of `docker ps`, by name."""
    options = [option for item in filters for option in ("--filter", item)]
    listing = output(["docker", "ps", "--all", *options, "--format", "{{.Names}}\t{{.State}}"])
    return dict(line.split("\t") for line in listing.splitlines())


def read_file(container: str, path: str) -> str | None:
    """The content of a file in a container, which need not run. None without the file or the container.

    Raises:
        FailedError: the engine does not give it.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        try:
            docker("cp", f"{container}:{path}", str(copy))
        except FailedError as error:
            if any(text in error.reason for text in ABSENT):
                return None
            raise
        return copy.read_text()


def docker(*arguments: str, stdin: str | bytes = "") -> str:
    """Runs `docker` with these arguments; returns its output."""
    return output(["docker", *arguments], stdin=stdin)
