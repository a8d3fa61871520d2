"""Downloads into the cache folder. A file gets its final name only when it is complete and verified."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from drydock.core.console import Step
from drydock.core.errors import CannotRunError

CONNECT_SECONDS = 10.0
STALL_SECONDS = 30.0


class ChecksumError(Exception):
    """The download differs from the published file. The text has the SHA-256 of both."""


def client() -> httpx2.Client:
    """An HTTP client with timeouts that follows redirects."""
    timeout = httpx2.Timeout(STALL_SECONDS, connect=CONNECT_SECONDS)
    return httpx2.Client(follow_redirects=True, timeout=timeout)


def fetch(address: str, target: Path, sha256: str, progress: Step) -> None:
    """Downloads `address` into `target`.

    Raises:
        ChecksumError: its SHA-256 is not `sha256`.
    """
    if (found := receive(address, target, progress)) != sha256:
        raise ChecksumError(f"{address} has SHA-256 {found}, its publisher states {sha256}")
    progress.detail = f"downloaded, SHA-256 {sha256[:12]}"


def receive(address: str, target: Path, progress: Step) -> str:
    """Downloads `address` into `target`; returns its SHA-256, for the caller to verify."""
    digest = hashlib.sha256()
    with client() as opened, opened.stream("GET", address) as response, target.open("wb") as file:
        response.raise_for_status()
        total = int(response.headers.get("content-length", 0))
        for chunk in response.iter_raw():
            file.write(chunk)
            digest.update(chunk)
            progress.detail = f"{response.num_bytes_downloaded / 1e6:.0f} of {total / 1e6:.0f} MB"
    return digest.hexdigest()


@contextmanager
def beside(target: Path) -> Iterator[Path]:
    """A new file in the folder of `target`, removed at the end of the block unless it was renamed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    os.close(handle)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def explained(address: str, remedy: str) -> Iterator[None]:
    """Turns the errors of a download into a CannotRunError with the cause and `remedy`."""
    try:
        yield
    except ChecksumError as error:
        raise CannotRunError(str(error), remedy) from error
    except httpx2.HTTPStatusError as error:
        raise CannotRunError(f"{error.request.url} answered {error.response.status_code}", remedy) from error
    except (httpx2.HTTPError, OSError) as error:
        raise CannotRunError(f"{address} could not be downloaded: {error}", remedy) from error
