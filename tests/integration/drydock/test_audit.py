"""The audit's SQL against the real schema: it finds each thing that must not be, and nothing where all is well."""

from collections.abc import Iterator

import pytest

from drydock.analysis import audit
from drydock.analysis.audit import AuditResult
from drydock.core.errors import FailedError
from drydock.local.postgres import EmbeddedPostgres
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from tests.integration.drydock.migrated_database import PROJECT, migrated, psql

CONFIGURATION = PROJECT.configuration.audit
PLACE = """
WITH placed AS (
    INSERT INTO orders (customer, idempotency_key, body_hash) VALUES ('{customer}', '{key}', '') RETURNING id
)
INSERT INTO order_lines SELECT id, 1, 1, 100 FROM placed;
"""
SELL = "UPDATE products SET stock = stock - 1 WHERE id = 1;"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with migrated(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture
def database(server: EmbeddedPostgres) -> EmbeddedPostgres:
    """A shop without orders."""
    psql(server, "TRUNCATE orders CASCADE; UPDATE products SET stock = stocked;")
    return server


def place(server: EmbeddedPostgres, key: str, customer: str = "guest") -> None:
    psql(server, PLACE.format(key=key, customer=customer) + SELL)


def sent(key: str, outcome: Outcome = Outcome.OK) -> Record:
    return Record(0, 0, 0.1, "POST", "/orders", 201 if outcome is Outcome.OK else 0, outcome, "pod", "worker", key)


def audited(server: EmbeddedPostgres, *records: Record) -> AuditResult:
    return audit.read_answer(CONFIGURATION, psql(server, audit.script(CONFIGURATION, records)))


def broken(found: AuditResult) -> set[str]:
    return {name for name, count in found.violations.items() if count}


def test_orders_that_were_acknowledged_and_are_there_are_in_order(database: EmbeddedPostgres) -> None:
    for key in ("a", "b"):
        place(database, key)

    found = audited(database, sent("a"), sent("b"), Record(0, 0, 1, "GET", "/products", 200, Outcome.OK, "p", "w", ""))

    assert not broken(found)
    assert found.figures["orders_acknowledged"] == found.figures["orders_in_database"] == 2
    assert all(check.passed for check in found.checks())


def test_an_acknowledged_order_that_is_missing_is_found(database: EmbeddedPostgres) -> None:
    place(database, "a")

    assert broken(audited(database, sent("a"), sent("b"))) == {"acknowledged_but_missing"}


def test_an_order_that_is_there_twice_is_found(database: EmbeddedPostgres) -> None:
    place(database, "a")
    place(database, "a", customer="somebody else")

    assert broken(audited(database, sent("a"))) == {"placed_twice"}


def test_stock_that_nobody_bought_is_found(database: EmbeddedPostgres) -> None:
    place(database, "a")
    psql(database, SELL)

    assert broken(audited(database, sent("a"))) == {"stock_unaccounted_for"}


def test_an_order_that_was_placed_unknown_to_its_client_is_reported_and_allowed(database: EmbeddedPostgres) -> None:
    place(database, "a")

    found = audited(database, sent("a", Outcome.RESET))

    assert not broken(found)
    assert found.figures["placed_without_acknowledgement"] == 1


def test_a_question_without_an_answer_is_no_pass(database: EmbeddedPostgres) -> None:
    said = psql(database, audit.script(CONFIGURATION, []))

    with pytest.raises(FailedError, match="placed_twice"):
        audit.read_answer(CONFIGURATION, "".join(line for line in said.splitlines(True) if "placed_twice" not in line))
