"""The audit's script for psql, and its answer. tests/integration/drydock/test_audit.py runs the SQL."""

import pytest

from drydock.analysis import audit
from drydock.analysis.audit import AuditResult
from drydock.core.errors import FailedError
from drydock.core.project import Audit
from drydock.requests.outcome import Outcome
from tests.unit.drydock.disrupted import request
from tests.unit.drydock.recorded_drill import PROJECT

CONFIGURATION: Audit = PROJECT.configuration.audit.model_copy(
    update={"violations": {"missing": "SELECT 1", "twice": "SELECT 2"}, "figures": {"orders": "SELECT 3"}}
)


def test_the_script_loads_each_sent_key_with_its_acknowledgement_and_counts() -> None:
    sent = [request(0, key="a"), request(1, Outcome.RESET, key="b"), request(2)]

    assert audit.script(CONFIGURATION, sent) == (
        "CREATE TEMPORARY TABLE sent (key text NOT NULL, acknowledged boolean NOT NULL);\n"
        "COPY sent FROM STDIN;\na\tTrue\nb\tFalse\n\\.\n"
        "SELECT 'missing', (SELECT 1);\nSELECT 'twice', (SELECT 2);\nSELECT 'orders', (SELECT 3);\n"
    )


def test_an_answer_is_read_and_null_is_no_number() -> None:
    found = audit.read_answer(CONFIGURATION, "missing 2\n\ntwice \norders 40\n")

    assert found == AuditResult({"missing": 2, "twice": None}, {"orders": 40})
    assert found.known == {"missing": 2, "orders": 40}


def test_an_answer_without_a_count_is_an_error_that_names_it() -> None:
    with pytest.raises(FailedError, match="no count of orders, twice"):
        audit.read_answer(CONFIGURATION, "missing 0\n")
