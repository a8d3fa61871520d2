"""Results as SARIF 2.1.0, which code hosts show beside the lines of a change (docs.oasis-open.org/sarif)."""

from collections.abc import Sequence
from typing import Any

from drydock.check.rule import Result

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(results: Sequence[Result], version: str) -> dict[str, Any]:
    """The log of one run: every rule, and a result for each that does not hold."""
    driver = {
        "name": "drydock check",
        "version": version,
        "rules": [
            {
                "id": result.rule.identifier,
                "shortDescription": {"text": result.rule.sentence},
                "help": {"text": f"Source: {result.rule.source}"},
            }
            for result in results
        ],
    }
    broken = [_result(number, result) for number, result in enumerate(results) if not result.finding.holds]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": broken}]}


def _result(number: int, result: Result) -> dict[str, Any]:
    finding = result.finding
    return {
        "ruleId": result.rule.identifier,
        "ruleIndex": number,
        "level": "error",
        "message": {"text": f"{result.rule.sentence} Observed: {finding.observed}. {finding.remedy}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": result.rule.file}, "region": {"startLine": 1}}}
        ],
    }
