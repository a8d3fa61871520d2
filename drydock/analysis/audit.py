"""The audit: after a drill the database is asked whether it agrees with what the clients were told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from drydock.core.errors import FailedError
from drydock.core.project import Audit
from drydock.requests.records import Record
from drydock.runs.verdict import Check


@dataclass(frozen=True)
class AuditResult:
    """What was counted: `violations` must all be 0, `figures` are for the reader."""

    violations: Mapping[str, int]
    figures: Mapping[str, int]

    def checks(self) -> Iterator[Check]:
        """One check for each violation."""
        for name, count in self.violations.items():
            yield Check(f"audit: {name.replace('_', ' ')}", count == 0, "0", str(count))


def script(configuration: Audit, records: Sequence[Record]) -> str:
    """What psql is to do: to learn what was sent, and to count."""
    rows = "".join(f"{record.key}\t{not record.lost}\n" for record in records if record.key)
    questions = {**configuration.violations, **configuration.figures}
    asked = "".join(f"SELECT '{name}', ({sql});\n" for name, sql in questions.items())
    table = "CREATE TEMPORARY TABLE sent (key text NOT NULL, acknowledged boolean NOT NULL);\n"
    return f"{table}COPY sent FROM STDIN;\n{rows}\\.\n{asked}"


def read_answer(configuration: Audit, output: str) -> AuditResult:
    """Reads psql's answer: a name and a number on each line.

    Raises:
        FailedError: a question was not answered.
    """
    counts = {name: int(count) for name, count in (line.split() for line in output.splitlines() if line)}
    if missing := ({**configuration.violations, **configuration.figures}).keys() - counts.keys():
        raise FailedError(f"the audit got no answer to {', '.join(sorted(missing))}")
    return AuditResult(
        {name: counts[name] for name in configuration.violations},
        {name: counts[name] for name in configuration.figures},
    )
