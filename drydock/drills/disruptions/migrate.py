"""The schema changes under load: expand, fill, contract."""

from collections.abc import Mapping
from typing import Any

from drydock.analysis.objectives import Promise
from drydock.drills.disruption import Disruption
from drydock.drills.drill_run import Scene
from drydock.targets.target import Target

LOCKING = "locking-migration"


class Migrate(Disruption[Target]):
    """Each step of an expand-contract migration, with the service of before and after serving beside it."""

    title = "migrate"
    belief = "When a schema changes by expanding, filling in batches and contracting, no request is lost to a lock."
    promise = Promise()
    control = LOCKING

    def patches(self, target: Target) -> list[Mapping[str, Any]]:
        """Its own negative control is another migration, not another Deployment."""
        return [] if self.weakness == LOCKING else super().patches(target)

    def act(self, scene: Scene[Target]) -> None:
        """The statements of drydock.toml, one after the other; what they added is taken away again."""
        migration = self.settings.migrate
        added = "what the migration adds to the schema"
        scene.experiment.changes.make(added, lambda: None, lambda: _run(scene.target, migration.clean))
        for statements in migration.locking if self.weakness == LOCKING else migration.steps:
            scene.target.sql(statements)

    def recovered(self, scene: Scene[Target]) -> bool:
        """The pods of before are ready."""
        return scene.ready == scene.pods and scene.answers


def _run(target: Target, statements: str) -> None:
    target.sql(statements)
