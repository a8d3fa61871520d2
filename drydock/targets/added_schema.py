"""The additions of a drill to the schema of the database."""

from dataclasses import dataclass

from drydock.targets.database import StatefulDatabase
from drydock.targets.journal import Journal


@dataclass(frozen=True)
class AddedSchema:
    """The state is what the journal holds about them: the SQL statements that remove them, empty without additions."""

    journal: Journal
    database: StatefulDatabase
    title: str = "added schema"

    def read(self) -> str:
        """The statements."""
        entry = self.journal.ours()
        return entry.cleanup if entry else ""

    def restore(self, before: str) -> None:
        """Runs the statements. Raises FailedError if one fails."""
        self.database.sql(self.read())
