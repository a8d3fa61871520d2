"""The tables of a load run: its routes, and the share of each pod."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from drydock.core.console import output_console
from drydock.requests import statistics
from drydock.requests.records import Record
from drydock.requests.statistics import ALL


def show(records: Sequence[Record]) -> None:
    """Prints the table of the routes and the share of each pod."""
    console = output_console()
    console.print(routes(records))
    console.print(pods(statistics.shares(records)))


def routes(records: Sequence[Record]) -> Table:
    """A row for each operation, and one for all requests."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("route")
    for title in ("requests", "good/s", "p50 ms", "p95 ms", "p99 ms", "lost"):
        table.add_column(title, justify="right")
    for name, seen in statistics.table(records).items():
        times = ["-" if value is None else f"{value:.0f}" for value in (seen.p50, seen.p95, seen.p99)]
        lost = f"{seen.lost:,} ({statistics.percent(seen.error_ratio, digits=3)})" if seen.lost else "0"
        cells = name, f"{seen.count:,}", f"{seen.rate:.1f}", *times, lost
        table.add_row(*cells, style="bold" if name == ALL else None)
    return table


def pods(shares: Mapping[str, float]) -> Table:
    """A row for each pod."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("answered by")
    table.add_column("share", justify="right")
    for pod, share in shares.items():
        table.add_row(pod, f"{share:.1%}")
    return table
