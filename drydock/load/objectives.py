"""The objectives of load runs, from loadtest/objectives.yaml or another file of that format."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from drydock.core.errors import CannotRunError

FILE = Path("loadtest") / "objectives.yaml"

Milliseconds = Annotated[float, Field(gt=0)]
Route = Annotated[str, StringConstraints(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE) /\S*$")]


class ObjectivesTable(BaseModel):
    """A part of the file. An unknown key is an error, because it is most likely a misspelt one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(ObjectivesTable):
    """The objectives of some requests. None means no objective. `min_rate` is 2xx responses a second."""

    p50_ms: Milliseconds | None = None
    p95_ms: Milliseconds | None = None
    p99_ms: Milliseconds | None = None
    error_ratio: float | None = Field(default=None, ge=0, le=1)
    min_rate: float | None = Field(default=None, ge=0)

    def under(self, other: "Limits") -> "Limits":
        """These limits, overridden by those of `other`."""
        return self.model_copy(update=other.model_dump(exclude_none=True))


class LoadObjectives(ObjectivesTable):
    """The objectives of all requests together, and of single routes."""

    overall: Limits = Limits()
    routes: Mapping[Route, Limits] = {}

    def under(self, other: "LoadObjectives") -> "LoadObjectives":
        """These objectives, overridden by those of `other`."""
        names = [*self.routes, *(name for name in other.routes if name not in self.routes)]
        merged = {name: self.routes.get(name, Limits()).under(other.routes.get(name, Limits())) for name in names}
        return LoadObjectives(overall=self.overall.under(other.overall), routes=merged)


class ObjectivesFile(LoadObjectives):
    """The whole file: the objectives of every scenario, and overrides for single scenarios."""

    scenarios: Mapping[str, LoadObjectives] = {}

    def of(self, scenario: str) -> LoadObjectives:
        """The objectives of one scenario."""
        return LoadObjectives(overall=self.overall, routes=self.routes).under(
            self.scenarios.get(scenario, LoadObjectives())
        )


def read(path: Path) -> ObjectivesFile:
    """Reads a file of objectives.

    Raises:
        CannotRunError: there is no such file, or it is invalid; the reason names each invalid key.
    """
    try:
        return ObjectivesFile.model_validate(yaml.safe_load(path.read_text()) or {})
    except OSError as error:
        reason = f"there are no objectives at {path}: {error.strerror}"
        raise CannotRunError(reason, "See docs/reference/load.md.") from error
    except yaml.YAMLError as error:
        raise CannotRunError(f"{path} is not YAML: {error}", "Correct the file, then run the command again.") from error
    except ValidationError as error:
        wrong = "\n".join(f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        remedy = "Correct these keys, then run the command again."
        raise CannotRunError(f"{path} is not valid:\n{wrong}", remedy) from error
