"""A change of the schema under load: expand, fill, contract."""

from collections.abc import Mapping
from typing import Any

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.drills.migration_files import MigrationFiles
from drydock.targets.target import Target

LOCKING = "locking-migration"


class Migrate(Disruption[Target]):
    """Run an expand-contract migration step by step under load."""

    title = "migrate"
    hypothesis = (
        "When a migration expands the schema, fills it in batches and contracts it, no request is lost to a lock."
    )
    negative_control = LOCKING

    def refuse(self, target: Target) -> None:
        super().refuse(target)
        MigrationFiles.read(target.project)

    def patches(self, target: Target) -> list[Mapping[str, Any]]:
        """The negative control of this drill is another migration, not another Deployment."""
        return [] if self.applied_control == LOCKING else super().patches(target)

    def act(self, run: DrillRun[Target]) -> None:
        files, target = MigrationFiles.read(run.experiment.project), run.target
        target.clean_up_with(files.clean)
        for statements in [files.locking] if self.applied_control == LOCKING else files.steps:
            target.sql(statements)

    def recovered(self, run: DrillRun[Target]) -> bool:
        return run.ready == run.pods and run.answers_everything
