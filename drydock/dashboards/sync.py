"""Synchronises the dashboards in git with those in Grafana, in both directions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from drydock.core.errors import FailedError
from drydock.dashboards.conventions import TAG
from drydock.dashboards.document import FOLDER, Dashboard, files, panels, read, text
from drydock.dashboards.normal import normalise
from drydock.telemetry.grafana import Grafana, Stored

UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
MESSAGE = "drydock dashboards push"


@dataclass(frozen=True)
class FileChange:
    """One dashboard in its file and in Grafana; None if it is missing there."""

    uid: str
    path: Path
    file: Dashboard | None
    stored: Dashboard | None

    @property
    def same(self) -> bool:
        """Whether both have the same normal form."""
        return self._texts[0] == self._texts[1]

    @property
    def diff(self) -> list[str]:
        """The unified diff from the file to Grafana, both in the normal form; one line if one of them is missing."""
        if self.file is None or self.stored is None:
            return [self.summary]
        before, after = self._texts
        names = (f"{self.path.name} in git", f"{self.path.name} in Grafana")
        return list(unified_diff(before.splitlines(), after.splitlines(), *names, lineterm=""))

    @property
    def summary(self) -> str:
        """The number of changed lines, and the titles of the changed panels."""
        if self.stored is None:
            return f"{self.uid}: not in Grafana; `drydock dashboards push` adds it"
        if self.file is None:
            return f"{self.uid}: in Grafana, but has no file"
        marks = [line[0] for line in self.diff[2:]]
        lines = f"{self.uid}: {marks.count('+')} lines added, {marks.count('-')} removed"
        titles = ", ".join(self._titles())
        return f"{lines}; panels: {titles}" if titles else lines

    @property
    def _texts(self) -> tuple[str, str]:
        return text(self.file) if self.file else "", text(self.stored) if self.stored else ""

    def _titles(self) -> Iterator[str]:
        before, after = (
            {panel.get("id"): panel for panel in panels(normalise(side or {}))} for side in (self.file, self.stored)
        )
        for identity in {**before, **after}:
            if before.get(identity) != after.get(identity):
                yield str((after.get(identity) or before[identity]).get("title"))


def changes(root: Path, grafana: Grafana) -> list[FileChange]:
    """Every dashboard that has a file, or has the tag `drydock` in Grafana."""
    paths = files(root)
    new = [uid for uid in grafana.tagged(TAG) if uid not in paths and UID.fullmatch(uid)]
    paths |= {uid: root / FOLDER / f"{uid}.json" for uid in new}
    return [_change(uid, path, grafana) for uid, path in paths.items()]


def pull(root: Path, grafana: Grafana) -> list[FileChange]:
    """Writes the dashboards that differ in Grafana into their files; returns every difference.

    A dashboard that Grafana lacks keeps its file. `stored` of its difference is None.
    """
    different = [change for change in changes(root, grafana) if not change.same]
    for change in different:
        if change.stored:
            change.path.write_text(text(change.stored))
    return different


def push(root: Path, grafana: Grafana) -> list[FileChange]:
    """Saves the files that differ in Grafana, verifies that Grafana stored them unchanged, and returns them.

    Raises:
        FailedError: Grafana has stored a dashboard differently.
    """
    pushed = [change for change in changes(root, grafana) if change.file and not change.same]
    folder = _folder(root, grafana)
    for change in pushed:
        present = grafana.dashboard(change.uid)
        grafana.save(Stored(normalise(change.file or {}), present.folder_uid if present else folder), MESSAGE)
        if not (kept := _change(change.uid, change.path, grafana)).same:
            reason = f"Grafana stored {change.uid} with differences:\n" + "\n".join(kept.diff)
            raise FailedError(reason, "Run `drydock dashboards pull` to accept them, then check the difference.")
    return pushed


def _change(uid: str, path: Path, grafana: Grafana) -> FileChange:
    found = grafana.dashboard(uid)
    return FileChange(uid, path, read(path) if path.exists() else None, found.dashboard if found else None)


def _folder(root: Path, grafana: Grafana) -> str:
    """The uid of the dashboards' folder: that of the first one that exists in Grafana."""
    stored = (grafana.dashboard(uid) for uid in files(root))
    return next((found.folder_uid for found in stored if found), "")
