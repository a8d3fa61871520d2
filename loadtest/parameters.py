"""The parameters of a scenario: its docstring lists them with their defaults, and environment variables set them.

A line of the docstring with a name, two or more spaces, a text and a default in parentheses is a parameter:

users    number of users (20)

LOAD_USERS sets it. `drydock load` parses the same lines, so the documentation is always complete.
"""

import os
import re
import sys
from collections.abc import Mapping

LINE = re.compile(r"^ *(?P<name>[a-z_]+) {2,}(?P<text>.+) \((?P<default>[^()]*)\)$", re.MULTILINE)


class Parameters:
    """The parameters listed in `docstring`, with the values set in `variables`."""

    def __init__(self, docstring: str | None, variables: Mapping[str, str] = os.environ) -> None:
        self._values = {
            line["name"]: variables.get(f"LOAD_{line['name'].upper()}") or line["default"]
            for line in LINE.finditer(docstring or "")
        }

    def text(self, name: str) -> str:
        return self._values[name]

    def number(self, name: str) -> float:
        """A parameter that must be a number of 0 or more. Otherwise exits with an error message."""
        try:
            value = float(self._values[name])
        except ValueError:
            value = -1
        if not value >= 0:
            sys.exit(f"LOAD_{name.upper()} is {self._values[name]!r}, not a number of 0 or more")
        return value

    def count(self, name: str) -> int:
        """The same, rounded to an integer."""
        return round(self.number(name))
