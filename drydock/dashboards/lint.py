"""The linter: checks the rules for dashboards. Needs neither Grafana nor Prometheus."""

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
    """The counts of one dashboard in the report."""

    dashboard: str
    panels: int
    with_unit: int
    with_description: int
    queries: int
    with_range: int
    with_rate_interval: int


def lint(root: Path) -> list[LintFinding]:
    """The findings in all dashboards of the checkout at `root`."""
    return [finding for uid, path in files(root).items() for finding in lint_file(root, uid, path)]


def lint_file(root: Path, uid: str, path: Path) -> Iterator[LintFinding]:
    """The findings in the dashboard in `path`, whose file name is `uid`."""
    dashboard = read(path)
    found: list[LintFinding] = [*rules.check(dashboard), *panel_rules.check(dashboard)]
    if dashboard.get("uid") != uid:
        found.append(
            LintFinding(
                "uid", f"the uid is {dashboard.get('uid')!r}", f"Rename the file, or change the uid to {uid!r}."
            )
        )
    if path.read_text() != text(dashboard):
        found.append(LintFinding("form", "not in the normal form", "Run `drydock dashboards lint --fix`."))
    if not registered(root, uid):
        entry = f"- dashboards/{uid}.json"
        found.append(LintFinding("registered", f"not in {KUSTOMIZATION}", f"Add `{entry}` under `files` there."))
    yield from (replace(finding, file=str(path.relative_to(root))) for finding in found)


def registered(root: Path, uid: str) -> bool:
    """Whether the kustomization has the dashboard `uid`, so that the cluster's Grafana gets it; true without one."""
    kustomization = root / KUSTOMIZATION
    return not kustomization.exists() or f"dashboards/{uid}.json" in kustomization.read_text()


def fix(root: Path) -> list[Path]:
    """Writes every file in the normal form; returns the changed files."""
    changed = [path for path in files(root).values() if path.read_text() != text(read(path))]
    for path in changed:
        path.write_text(text(read(path)))
    return changed


def count(dashboard: Dashboard) -> Count:
    """The counts of `dashboard` for the report."""
    all_panels, all_queries = list(panels(dashboard)), queries(dashboard)

    def having(holds: Callable[[dict[str, object]], object]) -> int:
        return sum(bool(holds(panel)) for panel in all_panels)

    return Count(
        str(dashboard.get("uid")),
        len(all_panels),
        having(panel_rules.unit),
        having(lambda panel: panel.get("description")),
        len(all_queries),
        sum(bool(query.ranges) for query in all_queries),
        sum("$__rate_interval" in query.text for query in all_queries),
    )


def print_findings(findings: Iterable[LintFinding]) -> None:
    """Prints each finding with its remedy."""
    for finding in findings:
        where = f"{finding.file}  {finding.panel}".rstrip()
        output_console().print(f"[red]{escape(where)}[/]  {finding.rule}: {escape(finding.text)}", soft_wrap=True)
        output_console().print(f"  [bold]remedy[/]  {escape(finding.remedy)}", soft_wrap=True)


def print_report(counts: Iterable[Count]) -> None:
    """Prints the table of all dashboards with its totals."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    counts = list(counts)
    table.add_column("dashboard", footer="all")
    for name, heading in HEADINGS.items():
        table.add_column(heading, str(sum(getattr(line, name) for line in counts)), justify="right")
    for line in counts:
        table.add_row(line.dashboard, *(str(getattr(line, name)) for name in HEADINGS))
    output_console().print(table)
