"""The folder of a run below runs/ of the checkout. Its name `<UTC time>-<name>` sorts by time."""

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
        """Creates the folder of a run that starts now. Git ignores it."""
        began = datetime.now(UTC)
        while (folder := runs(project) / f"{began:%Y%m%dT%H%M%SZ}-{name}").exists():
            began += timedelta(seconds=1)
        folder.mkdir(parents=True)
        return cls(folder)

    @classmethod
    def all(cls, project: Project) -> list[Self]:
        """The folders of all runs, newest first."""
        return [cls(folder) for folder in sorted(runs(project).glob("*Z-*"), reverse=True) if folder.is_dir()]

    @classmethod
    def find(cls, project: Project, name: str) -> Self:
        """The newest run whose folder's name begins with `name` or ends with `-name`; `last` is the newest run.

        Raises:
            CannotRunError: there is no such run.
        """
        for run in cls.all(project):
            if name == "last" or run.name.startswith(name) or run.name.endswith(f"-{name}"):
                return run
        raise CannotRunError(f"there is no run {name!r} in {runs(project)}", "List the runs: drydock runs list")

    @property
    def name(self) -> str:
        return self.folder.name

    def path(self, name: str) -> Path:
        """The path of the file `name`, which may not exist yet."""
        return self.folder / name

    def write_json(self, name: str, value: Any) -> Path:
        """Writes an indented JSON file; returns its path."""
        path = self.path(name)
        path.write_text(json.dumps(value, indent=2) + "\n")
        return path

    def read_json(self, name: str) -> Any:
        """Reads a JSON file of the run.

        Raises:
            CannotRunError: the run has no such file, or it is not JSON.
        """
        try:
            return json.loads(self.path(name).read_text())
        except FileNotFoundError as error:
            remedy = "The run did not finish. Choose another: drydock runs list"
            raise CannotRunError(f"the run {self.name} has no {name}", remedy) from error
        except json.JSONDecodeError as error:
            raise CannotRunError(f"{self.path(name)} is not JSON: {error}", "Repeat the run.") from error

    def records(self) -> Sequence[Record]:
        """The records of all requests, in the order of their intended times.

        Raises:
            CannotRunError: the run has no records, or they are damaged.
        """
        try:
            return records.read(self.path(records.FILE))
        except FileNotFoundError as error:
            raise CannotRunError(f"the run {self.name} has no records", "Choose another: drydock runs list") from error
        except DamagedRecordsError as error:
            raise CannotRunError(str(error), "The run ended while it wrote its records. Repeat it.") from error

    def conclude(self, verdict: Verdict, seconds: float) -> None:
        """Writes verdict.json and junit.xml of a run that took `seconds`."""
        self.write_json(verdicts.FILE, verdict.as_json())
        self.path(junit.FILE).write_text(junit.junit(verdict, seconds))


def runs(project: Project) -> Path:
    """The folder with the runs of a checkout."""
    return project.root / "runs"
