"""The scenarios there are, and their knobs, read from the files below loadtest/: they are not imported here.

A line of a scenario's docstring with a name, two or more spaces, a text and a default in parentheses is a knob;
loadtest/knobs.py, which sets them, reads the same lines.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drydock.core.errors import CannotRunError
from drydock.core.project import Project

KNOB = re.compile(r"^ *(?P<name>[a-z_]+) {2,}(?P<text>.+) \((?P<default>[^()]*)\)$", re.MULTILINE)
WEIGHT = re.compile(r"^(?P<user>[a-z_]+)=(?P<weight>[1-9]\d*)$")
# Not of one scenario: what every user does.
COMMON = ("connection.py", "users/shopper.py", "users/slow_query.py")


@dataclass(frozen=True)
class Knob:
    """What can be set of a scenario."""

    name: str
    text: str
    default: str

    @property
    def number(self) -> bool:
        """Whether it is a number of 0 or more; the others are a mix of users."""
        return _is_number(self.default)


@dataclass(frozen=True)
class Scenario:
    """A file of loadtest/scenarios."""

    name: str
    text: str
    own: Sequence[Knob]
    common: Sequence[Knob]

    @property
    def knobs(self) -> list[Knob]:
        """All that can be set: its own, and what is true of every user."""
        return [*self.own, *self.common]

    def knob(self, name: str) -> Knob:
        """One of its knobs.

        Raises:
            CannotRunError: it has none of this name.
        """
        for knob in self.knobs:
            if knob.name == name:
                return knob
        known = ", ".join(knob.name for knob in self.knobs)
        raise CannotRunError(f"the scenario {self.name} has no knob {name!r}", f"Its knobs are {known}.")

    def environment(self, settings: Mapping[str, str], users: Sequence[str]) -> dict[str, str]:
        """The variables that set its knobs; `users` are the behaviours that a mix may name.

        Raises:
            CannotRunError: one is unknown, or its value is none.
        """
        for name, value in settings.items():
            _check(self.knob(name), value, users)
        return {f"LOAD_{name.upper()}": value for name, value in settings.items()}


def all_scenarios(project: Project) -> list[Scenario]:
    """Every scenario, by name."""
    folder = project.root / "loadtest"
    common = [knob for name in COMMON for knob in _knobs((folder / name).read_text())]
    return [_read(path, common) for path in sorted((folder / "scenarios").glob("*.py")) if path.stem != "__init__"]


def find(project: Project, name: str) -> Scenario:
    """One scenario.

    Raises:
        CannotRunError: there is none of this name.
    """
    scenarios = all_scenarios(project)
    for scenario in scenarios:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in scenarios)
    raise CannotRunError(f"there is no scenario {name!r}", f"Choose one of {known}: `drydock load --list` tells more.")


def users(project: Project) -> list[str]:
    """The behaviours that a mix may name: the files of loadtest/users that say how they `act`."""
    files = (project.root / "loadtest" / "users").glob("*.py")
    return sorted(path.stem for path in files if path.stem != "shopper" and "def act(" in path.read_text())


def settings_of(texts: Sequence[str]) -> dict[str, str]:
    """The settings in `name=value` texts.

    Raises:
        CannotRunError: one is not of this form.
    """
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise CannotRunError(f"--set {text!r} is not name=value", "An example: --set users=50")
        settings[name] = value
    return settings


def _read(path: Path, common: list[Knob]) -> Scenario:
    docstring = ast.get_docstring(ast.parse(path.read_text()), clean=False) or ""
    return Scenario(path.stem, docstring.partition("\n")[0], _knobs(docstring), common)


def _knobs(text: str) -> list[Knob]:
    return [Knob(**line.groupdict()) for line in KNOB.finditer(text)]


def _check(knob: Knob, value: str, users: Sequence[str]) -> None:
    if knob.number:
        if not _is_number(value):
            raise CannotRunError(f"{knob.name} is {value!r}, not a number of 0 or more", f"{knob.name}: {knob.text}")
        return
    for part in value.split(","):
        found = WEIGHT.match(part)
        if found is None or found["user"] not in users:
            remedy = f"Name some of {', '.join(users)}, each with a weight, such as {knob.default}"
            raise CannotRunError(f"{knob.name} has {part!r}, which is no user with a weight", remedy)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
