"""The schema changes under load: expand, fill, contract."""

from collections.abc import Mapping
from typing import Any

from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import DrillRun
from drydock.targets.target import Target

LOCKING = "locking-migration"


class Migrate(Disruption[Target]):
    """Each step of an expand-contract migration, with the service of before and after serving beside it."""

    title = "migrate"
    hypothesis = "When a schema changes by expanding, filling in batches and contracting, no request is lost to a lock."
    negative_control = LOCKING

    def patches(self, target: Target) -> list[Mapping[str, Any]]:
        """Its own negative control is another migration, not another Deployment."""
        return [] if self.applied_control == LOCKING else super().patches(target)

    def act(self, run: DrillRun[Target]) -> None:
        """The statements of drydock.toml, one after the other; what they added is taken away again."""
        migration = self.settings.migrate
        added = "what the migration adds to the schema"
        run.experiment.changes.apply(added, lambda: None, lambda: _run(run.target, migration.clean))
        for statements in migration.locking if self.applied_control == LOCKING else migration.steps:
            run.target.sql(statements)

    def recovered(self, run: DrillRun[Target]) -> bool:
        """The pods of before are ready."""
        return run.ready == run.pods and run.answers_everything


def _run(target: Target, statements: str) -> None:
    target.sql(statements)
