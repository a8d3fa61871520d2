"""The drills there are."""

from collections.abc import Sequence

from drydock.drills.experiment import Drill
from drydock.drills.scale import Scale
from drydock.project import Project


def all_drills(project: Project) -> Sequence[Drill]:
    """One of each."""
    return [Scale(project.configuration.drills.scale)]
