"""The scenarios and their parameters, read from the files below loadtest/ without importing them.

A parameter is a line of a scenario's docstring: a name, two or more spaces, a text, and the default in parentheses.
loadtest/parameters.py reads the same lines to set them.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drydock.core.errors import CannotRunError
from drydock.core.project import Project

PARAMETER = re.compile(r"^ *(?P<name>[a-z_]+) {2,}(?P<text>.+) \((?P<default>[^()]*)\)$", re.MULTILINE)
WEIGHT = re.compile(r"^(?P<user>[a-z_]+)=(?P<weight>[1-9]\d*)$")
# The files with the parameters of every scenario.
COMMON = ("connection.py", "users/shopper.py", "users/slow_query.py")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a scenario."""

    name: str
    text: str
    default: str

    @property
    def number(self) -> bool:
        """Whether it is a number of 0 or more. Any other parameter is a mix of users."""
        return _is_number(self.default)


@dataclass(frozen=True)
class Scenario:
    """A file of loadtest/scenarios."""

    name: str
    text: str
    own: Sequence[Parameter]
    common: Sequence[Parameter]

    @property
    def parameters(self) -> list[Parameter]:
        """Its own parameters and the common ones."""
        return [*self.own, *self.common]

    def parameter(self, name: str) -> Parameter:
        """The parameter with this name.

        Raises:
            CannotRunError: it has no such parameter.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        known = ", ".join(parameter.name for parameter in self.parameters)
        raise CannotRunError(f"the scenario {self.name} has no parameter {name!r}", f"Its parameters are {known}.")

    def environment(self, settings: Mapping[str, str], users: Sequence[str]) -> dict[str, str]:
        """The environment variables that set its parameters. `users` are the valid users of a mix.

        Raises:
            CannotRunError: a parameter is unknown, or its value is invalid.
        """
        for name, value in settings.items():
            _check(self.parameter(name), value, users)
        return {f"LOAD_{name.upper()}": value for name, value in settings.items()}


def all_scenarios(project: Project) -> list[Scenario]:
    """Every scenario, in alphabetical order."""
    folder = project.root / "loadtest"
    common = [parameter for name in COMMON for parameter in _parameters((folder / name).read_text())]
    return [_read(path, common) for path in sorted((folder / "scenarios").glob("*.py")) if path.stem != "__init__"]


def find(project: Project, name: str) -> Scenario:
    """The scenario with this name.

    Raises:
        CannotRunError: there is no such scenario.
    """
    scenarios = all_scenarios(project)
    for scenario in scenarios:
        if scenario.name == name:
            return scenario
    known = ", ".join(scenario.name for scenario in scenarios)
    raise CannotRunError(
        f"there is no scenario {name!r}", f"Choose one of {known}: `drydock load --list` describes them."
    )


def users(project: Project) -> list[str]:
    """The users that a mix may have: the files of loadtest/users with a function `act`."""
    files = (project.root / "loadtest" / "users").glob("*.py")
    return sorted(path.stem for path in files if path.stem != "shopper" and "def act(" in path.read_text())


def settings_of(texts: Sequence[str]) -> dict[str, str]:
    """Parses `name=value` texts.

    Raises:
        CannotRunError: a text has another form.
    """
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise CannotRunError(f"--set {text!r} is not name=value", "Set a parameter like this: --set users=50")
        settings[name] = value
    return settings


def _read(path: Path, common: list[Parameter]) -> Scenario:
    docstring = ast.get_docstring(ast.parse(path.read_text()), clean=False) or ""
    return Scenario(path.stem, docstring.partition("\n")[0], _parameters(docstring), common)


def _parameters(text: str) -> list[Parameter]:
    return [Parameter(**line.groupdict()) for line in PARAMETER.finditer(text)]


def _check(parameter: Parameter, value: str, users: Sequence[str]) -> None:
    if parameter.number:
        if not _is_number(value):
            raise CannotRunError(
                f"{parameter.name} is {value!r}, not a number of 0 or more", f"{parameter.name}: {parameter.text}"
            )
        return
    for part in value.split(","):
        found = WEIGHT.match(part)
        if found is None or found["user"] not in users:
            remedy = f"Choose from {', '.join(users)}, each with a weight, such as {parameter.default}"
            raise CannotRunError(f"{parameter.name} has {part!r}, which is not a user with a weight", remedy)


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None
