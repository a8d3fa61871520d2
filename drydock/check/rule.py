"""A rule, and what was found of it."""

from collections.abc import Callable
from dataclasses import dataclass

from drydock.check.subject import Subject


@dataclass(frozen=True)
class Finding:
    """What was observed, with its numbers, and what to do where the rule does not hold."""

    holds: bool
    observed: str
    remedy: str = ""


@dataclass(frozen=True)
class Rule:
    """`identifier` is `group/name`; `source` says where the rule comes from; `file` is where it is to be kept."""

    identifier: str
    sentence: str
    source: str
    file: str
    judge: Callable[[Subject], Finding]


@dataclass(frozen=True)
class Result:
    """A rule with its finding."""

    rule: Rule
    finding: Finding

    @property
    def line(self) -> str:
        """One line for a person."""
        word = "  ok" if self.finding.holds else "FAIL"
        said = f"{word}  {self.rule.identifier}: {self.finding.observed}"
        return said if self.finding.holds else f"{said}. {self.finding.remedy} [{self.rule.source}]"


def apply(rules: tuple[Rule, ...], subject: Subject) -> list[Result]:
    """Judges a subject by every rule."""
    return [Result(rule, rule.judge(subject)) for rule in rules]
