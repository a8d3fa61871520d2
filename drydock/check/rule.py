"""A rule, the workloads that it applies to, and the finding for each of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from drydock.check.subject import RenderedWorkload, Subject


@dataclass(frozen=True)
class Finding:
    """What was observed of a workload, with its numbers, and what to do where the rule does not hold."""

    holds: bool
    observed: str
    remedy: str = ""
    workload: str = ""


@dataclass(frozen=True)
class Rule:
    """`identifier` is `group/name`. `source` is where the rule comes from.

    `file` is what to edit where the rule does not hold; `{}` in it stands for the workload's name.
    """

    identifier: str
    sentence: str
    source: str
    file: str
    evaluate: Callable[[RenderedWorkload], Finding]
    applies_to: Callable[[Subject], Sequence[RenderedWorkload]] = Subject.workloads


@dataclass(frozen=True)
class Result:
    """A rule with its finding for each workload that it applies to."""

    rule: Rule
    findings: tuple[Finding, ...]

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings of the workloads for which the rule does not hold."""
        return tuple(it for it in self.findings if not it.holds)

    @property
    def lines(self) -> list[str]:
        """One line for each workload."""
        return [self._line(it) for it in self.findings]

    def _line(self, finding: Finding) -> str:
        text = f"{self.rule.identifier}: {finding.workload}: {finding.observed}"
        return f"  ok  {text}" if finding.holds else f"FAIL  {text}. {finding.remedy} [{self.rule.source}]"


def apply(rules: Sequence[Rule], subject: Subject) -> list[Result]:
    """Evaluates every rule on the workloads that it applies to."""
    return [
        Result(rule, tuple(replace(rule.evaluate(it), workload=it.name) for it in rule.applies_to(subject)))
        for rule in rules
    ]
