"""The statements in the journal remove what a drill has added to the schema."""

from typing import Any

import pytest

from drydock.core.errors import CannotRunError, FailedError
from drydock.targets import state
from drydock.targets.added_schema import AddedSchema
from drydock.targets.journal import Journal
from tests.unit.drydock.config_map import ConfigMapDouble

DROP = "alter table orders drop column if exists note"


class Database:
    """Notes the statements; fails as long as it is `stopped`."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.stopped = False

    def sql(self, statements: str) -> str:
        if self.stopped:
            raise FailedError("no connection")
        self.ran.append(statements)
        return ""


@pytest.fixture
def database() -> Database:
    return Database()


def part(journal: Journal, database: Any) -> AddedSchema:
    return AddedSchema(journal, database)


def begun(namespace: Any, database: Database) -> Journal:
    """The journal of a drill that has begun."""
    journal = Journal(namespace)
    journal.open("migrate", state.read([part(journal, database)]))
    return journal


def restore(journal: Journal, database: Database) -> None:
    entry = journal.ours()
    assert entry
    state.restore([part(journal, database)], entry.before)


def test_a_drill_that_adds_nothing_runs_no_statement(database: Database) -> None:
    restore(begun(ConfigMapDouble(), database), database)

    assert database.ran == []


def test_an_addition_is_listed_and_removed(database: Database) -> None:
    journal = begun(ConfigMapDouble(), database)
    journal.add_cleanup(DROP)
    entry = journal.ours()

    assert entry
    assert state.changed([part(journal, database)], entry.before) == ["added schema"]
    restore(journal, database)
    assert database.ran == [DROP]


def test_a_later_command_removes_what_a_killed_drill_has_added(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespace = ConfigMapDouble()
    begun(namespace, database).add_cleanup(DROP)
    monkeypatch.setattr("drydock.targets.journal.Holder.alive", False)
    later: Any = Journal(namespace)  # type: ignore[arg-type]

    later.take_over()
    restore(later, database)

    assert database.ran == [DROP]


def test_an_addition_that_stays_is_named_and_kept_in_the_journal(database: Database) -> None:
    journal = begun(ConfigMapDouble(), database)
    journal.add_cleanup(DROP)
    database.stopped = True

    with pytest.raises(CannotRunError, match="added schema: no connection"):
        restore(journal, database)

    entry = journal.ours()
    assert entry
    assert entry.cleanup == DROP
