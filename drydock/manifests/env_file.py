"""Files of variables, as kustomize's configMapGenerator and compose's env_file read them."""

from collections.abc import Iterator
from pathlib import Path


def read(path: Path) -> Iterator[tuple[str, str]]:
    """Each variable with its value, in the order of the file, without comments and empty lines."""
    for line in path.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield name, value
