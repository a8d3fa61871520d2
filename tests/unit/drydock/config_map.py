"""A test double of a namespace that holds one ConfigMap, as the API server does: only one `create` succeeds."""

import json
from dataclasses import dataclass
from typing import Any

from drydock.core.errors import FailedError


@dataclass
class ConfigMapDouble:
    """The ConfigMap; None before its creation."""

    content: dict[str, Any] | None = None

    def call(self, *arguments: str, stdin: str = "") -> str:
        verb = next(it for it in arguments if it in {"create", "get", "patch", "delete"})
        if verb == "create":
            if self.content:
                raise FailedError("AlreadyExists")
            self.content = json.loads(stdin)
        elif verb == "patch" and self.content:
            self.content["data"] |= json.loads(arguments[-1].removeprefix("--patch="))["data"]
        elif verb == "delete":
            self.content = None
        return json.dumps(self.content) if verb == "get" and self.content else ""
