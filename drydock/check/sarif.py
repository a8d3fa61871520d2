"""Results as SARIF 2.1.0, which code hosts show beside the lines of a change (docs.oasis-open.org/sarif)."""

from collections.abc import Sequence
from typing import Any

from drydock.check.rule import Finding, Result, Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(results: Sequence[Result], version: str) -> dict[str, Any]:
    """The log of one run: every rule, and a result for each workload for which one does not hold."""
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
    broken = [_result(number, result.rule, it) for number, result in enumerate(results) for it in result.broken]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": broken}]}


def _result(number: int, rule: Rule, finding: Finding) -> dict[str, Any]:
    text = f"{rule.sentence} Observed: {finding.workload}: {finding.observed}. {finding.remedy}"
    file = rule.file.format(finding.workload)
    return {
        "ruleId": rule.identifier,
        "ruleIndex": number,
        "level": "error",
        "message": {"text": text},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": 1}}}],
    }
