"""The folder of a run, below runs/ of the checkout: `<UTC time>-<name>`, so that they are listed in their order."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.requests import records
from drydock.requests.records import DamagedRecordsError, Record
from drydock.runs import junit
from drydock.runs import verdict as verdicts
from drydock.runs.verdict import Verdict

CONFIGURATION = "configuration.json"


@dataclass(frozen=True)
class RunFolder:
    """One run's folder."""

    folder: Path

    @classmethod
    def create(cls, project: Project, name: str) -> Self:
        """Makes the folder of a run that starts now; git ignores it."""
        began = datetime.now(UTC)
        while (folder := runs(project) / f"{began:%Y%m%dT%H%M%SZ}-{name}").exists():
            began += timedelta(seconds=1)
        folder.mkdir(parents=True)
        return cls(folder)

    @classmethod
    def all(cls, project: Project) -> list[Self]:
        """The folders of all runs, the newest first."""
        return [cls(folder) for folder in sorted(runs(project).glob("*Z-*"), reverse=True) if folder.is_dir()]

    @classmethod
    def find(cls, project: Project, name: str) -> Self:
        """The run whose folder's name is, begins with or ends in `name`; the newest of several; `last` is the newest.

        Raises:
            CannotRunError: there is none.
        """
        for run in cls.all(project):
            if name == "last" or run.name.startswith(name) or run.name.endswith(f"-{name}"):
                return run
        raise CannotRunError(f"there is no run {name!r} in {runs(project)}", "See which there are: drydock runs list")

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    def path(self, name: str) -> Path:
        """Where the file `name` of the run is, or will be."""
        return self.folder / name

    def write_json(self, name: str, value: Any) -> Path:
        """Writes a file for people and programs."""
        path = self.path(name)
        path.write_text(json.dumps(value, indent=2) + "\n")
        return path

    def read_json(self, name: str) -> Any:
        """Reads such a file.

        Raises:
            CannotRunError: the run has no such file, or it is broken.
        """
        try:
            return json.loads(self.path(name).read_text())
        except FileNotFoundError as error:
            raise CannotRunError(f"the run {self.name} has no {name}", "It did not come to its end.") from error
        except json.JSONDecodeError as error:
            raise CannotRunError(f"{self.path(name)} is broken: {error}", "Repeat the run.") from error

    def records(self) -> Sequence[Record]:
        """Every request of the run, in the order in which they were due.

        Raises:
            CannotRunError: the run has no records, or they are damaged.
        """
        try:
            return records.read(self.path(records.FILE))
        except FileNotFoundError as error:
            raise CannotRunError(f"the run {self.name} has no records", "Choose another: drydock runs list") from error
        except DamagedRecordsError as error:
            raise CannotRunError(str(error), "The run ended while it wrote them. Repeat it.") from error

    def conclude(self, verdict: Verdict, seconds: float) -> None:
        """Writes the verdict on the run, which took `seconds`: for people and programs, and for a CI system."""
        self.write_json(verdicts.FILE, verdict.as_json())
        self.path(junit.FILE).write_text(junit.junit(verdict, seconds))


def runs(project: Project) -> Path:
    """Where the runs of a checkout are."""
    return project.root / "runs"
