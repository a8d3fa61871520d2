"""The SQL of the drill migrate: a folder that drydock.toml names, with one file for each step.

`<number>-<name>.sql` are the steps in the order of their names; `locking.sql` is the same migration done badly, the
negative control; `clean.sql` removes what the others add.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from drydock.core.errors import CannotRunError
from drydock.core.project import Project


@dataclass(frozen=True)
class MigrationFiles:
    """The texts of the files."""

    steps: tuple[str, ...]
    locking: str
    clean: str

    @classmethod
    def read(cls, project: Project) -> Self:
        """Reads the folder.

        Raises:
            CannotRunError: drydock.toml names none, or a file is missing.
        """
        named = project.configuration.drills.disruptions.migrations
        if named is None:
            reason = "drydock.toml has no migration for this drill"
            raise CannotRunError(reason, "Set migrations, a folder of .sql files, under [drills.disruptions].")
        folder = project.root / named
        steps = tuple(path.read_text() for path in sorted(folder.glob("[0-9]*-*.sql")))
        if not steps:
            raise CannotRunError(f"{folder} has no step", "Add 01-<name>.sql, or correct migrations in drydock.toml.")
        return cls(steps, _text(folder / "locking.sql"), _text(folder / "clean.sql"))


def _text(path: Path) -> str:
    if not path.is_file():
        raise CannotRunError(f"there is no {path}", "Add it, or correct migrations in drydock.toml.")
    return path.read_text()
