"""The audit: compares the database after a drill with the answers that its clients received."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drydock.core.errors import FailedError
from drydock.core.project import Audit
from drydock.requests.records import Record
from drydock.runs.verdict import Check


@dataclass(frozen=True)
class AuditResult:
    """The counts by name, None where the SQL gives NULL: every violation must be 0; figures are informative."""

    violations: Mapping[str, int | None]
    figures: Mapping[str, int | None]

    @property
    def known(self) -> dict[str, int]:
        """The violations and figures that are numbers."""
        return {name: count for name, count in {**self.violations, **self.figures}.items() if count is not None}

    def checks(self) -> Iterator[Check]:
        for name, count in self.violations.items():
            passed, observed = (None, "NULL") if count is None else (count == 0, str(count))
            yield Check(f"audit: {name.replace('_', ' ')}", passed, "0", observed)


def script(configuration: Audit, records: Sequence[Record]) -> str:
    """The script for psql: it loads the sent keys into a temporary table, and counts."""
    rows = "".join(f"{record.key}\t{not record.lost}\n" for record in records if record.key)
    queries = {**configuration.violations, **configuration.figures}
    counts = "".join(f"SELECT '{name}', ({sql});\n" for name, sql in queries.items())
    table = "CREATE TEMPORARY TABLE sent (key text NOT NULL, acknowledged boolean NOT NULL);\n"
    return f"{table}COPY sent FROM STDIN;\n{rows}\\.\n{counts}"


def read_answer(configuration: Audit, output: str) -> AuditResult:
    """Reads the output of psql: a name and a number on each line.

    Raises:
        FailedError: a count is missing.
    """
    lines = (line.partition(" ") for line in output.splitlines() if line)
    counts = {name: int(count) if count.strip() else None for name, _, count in lines}
    if missing := ({**configuration.violations, **configuration.figures}).keys() - counts.keys():
        raise FailedError(f"the audit has no count of {', '.join(sorted(missing))}")
    return AuditResult(
        {name: counts[name] for name in configuration.violations},
        {name: counts[name] for name in configuration.figures},
    )
