"""The linter: what every dashboard has to keep, checked without Grafana and without Prometheus."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from drydock.core.console import output_console
from drydock.dashboards import panel_rules, rules
from drydock.dashboards.document import FOLDER, Dashboard, files, panels, read, text
from drydock.dashboards.queries import queries
from drydock.dashboards.rules import LintFinding

KUSTOMIZATION = FOLDER.parent / "kustomization.yaml"


HEADINGS = {
    "panels": "panels",
    "with_unit": "with unit",
    "with_description": "with description",
    "queries": "queries",
    "with_range": "over a range",
    "with_rate_interval": "with $__rate_interval",
}


@dataclass(frozen=True)
class Count:
    """A line of the report: how much of a dashboard says what it is."""

    dashboard: str
    panels: int
    with_unit: int
    with_description: int
    queries: int
    with_range: int
    with_rate_interval: int


def lint(root: Path) -> list[LintFinding]:
    """What is wrong with the dashboards of the checkout at `root`; empty where all is well."""
    return [finding for uid, path in files(root).items() for finding in lint_file(root, uid, path)]


def lint_file(root: Path, uid: str, path: Path) -> Iterator[LintFinding]:
    """What is wrong with the dashboard in `path`, of which `uid` is the name."""
    dashboard = read(path)
    found: list[LintFinding] = [*rules.check(dashboard), *panel_rules.check(dashboard)]
    if dashboard.get("uid") != uid:
        found.append(
            LintFinding("uid", f"the uid is {dashboard.get('uid')!r}", f"Name the file after it, or make it {uid!r}.")
        )
    if path.read_text() != text(dashboard):
        found.append(LintFinding("form", "not in the normal form", "Run `drydock dashboards lint --fix`."))
    if not registered(root, uid):
        entry = f"- dashboards/{uid}.json"
        found.append(LintFinding("registered", f"not in {KUSTOMIZATION}", f"Add `{entry}` under `files` there."))
    yield from (replace(finding, file=str(path.relative_to(root))) for finding in found)


def registered(root: Path, uid: str) -> bool:
    """Whether the cluster's Grafana gets the dashboard `uid`; true where there is no kustomization to get it from."""
    kustomization = root / KUSTOMIZATION
    return not kustomization.exists() or f"dashboards/{uid}.json" in kustomization.read_text()


def fix(root: Path) -> list[Path]:
    """Writes each file in the normal form, and says which it changed."""
    changed = [path for path in files(root).values() if path.read_text() != text(read(path))]
    for path in changed:
        path.write_text(text(read(path)))
    return changed


def count(dashboard: Dashboard) -> Count:
    """The figures of `dashboard` for the report."""
    shown, asked = list(panels(dashboard)), queries(dashboard)

    def having(holds: Callable[[dict[str, object]], object]) -> int:
        return sum(bool(holds(panel)) for panel in shown)

    return Count(
        str(dashboard.get("uid")),
        len(shown),
        having(panel_rules.unit),
        having(lambda panel: panel.get("description")),
        len(asked),
        sum(bool(query.ranges) for query in asked),
        sum("$__rate_interval" in query.text for query in asked),
    )


def print_findings(findings: Iterable[LintFinding]) -> None:
    """One line for each finding, and its remedy."""
    for finding in findings:
        where = f"{finding.file}  {finding.panel}".rstrip()
        output_console().print(f"[red]{escape(where)}[/]  {finding.rule}: {escape(finding.text)}", soft_wrap=True)
        output_console().print(f"  [bold]remedy[/]  {escape(finding.remedy)}", soft_wrap=True)


def print_report(counts: Iterable[Count]) -> None:
    """The table of all dashboards, with their sum."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    counts = list(counts)
    table.add_column("dashboard", footer="all")
    for name, heading in HEADINGS.items():
        table.add_column(heading, str(sum(getattr(line, name) for line in counts)), justify="right")
    for line in counts:
        table.add_row(line.dashboard, *(str(getattr(line, name)) for name in HEADINGS))
    output_console().print(table)
