"""The chart of the scaling drill."""

from collections.abc import Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drydock.analysis.scaling.marks import Mark
from drydock.analysis.scaling.scaling_evidence import ScalingEvidence
from drydock.report.chart_style import BLACK, BLUE, GREEN, GREY, LOOK, ORANGE, OUTCOMES, RED, SKY, svg
from drydock.requests.windows import Window, windows
from drydock.timeline.history import at

WINDOW_SECONDS = 2.0


def scaling(evidence: ScalingEvidence, marks: Sequence[Mark], p95_seconds: float, *, narrow: bool = False) -> str:
    """Pods, trigger values, latency and rate on one time axis; `narrow` fits two charts side by side."""
    begin, end = _span(evidence)
    found = list(windows(evidence.records, begin, end, WINDOW_SECONDS))
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(7.4 if narrow else 11, 9.6), layout="constrained")
        pods, triggers, latency, rate = figure.subplots(4, 1, sharex=True, height_ratios=[1.1, 1, 1, 1])
        _pods(pods, evidence, end)
        _triggers(triggers, evidence, end)
        _latency(latency, evidence, found, p95_seconds)
        _rate(rate, evidence, found)
        for axes in (pods, triggers, latency, rate):
            _marks(axes, marks)
            axes.grid(axis="y")
            axes.set_axisbelow(True)
            axes.set_ylim(bottom=0)
        _number(pods, marks)
        rate.set_xlabel("seconds since the step")
        rate.set_xlim(begin - evidence.step, end - evidence.step)
        return svg(figure)


def _pods(axes: Axes, evidence: ScalingEvidence, end: float) -> None:
    axes.set_title("Pods")
    there = [(time, len(pods)) for time, pods in evidence.existing]
    ready = [(time, len(pods)) for time, pods in evidence.endpoints]
    _steps(axes, evidence, there, end, color=GREY, linestyle=":", label="existing, including terminating")
    _steps(axes, evidence, ready, end, color=GREEN, label="ready endpoints", linewidth=2.2)
    _steps(axes, evidence, evidence.desired, end, color=BLUE, linestyle="--", label="desired by the autoscaler")
    most = max((count for _, count in [*there, *evidence.desired]), default=1)
    axes.set_yticks(range(most + 2))
    axes.set_ylim(0, most + 1.2)
    axes.legend(loc="upper right", ncols=3)


def _triggers(axes: Axes, evidence: ScalingEvidence, end: float) -> None:
    axes.set_title("Metric values of the autoscaler, in percent of the target")
    for (metric, target), color in zip(sorted(evidence.metrics.items()), (ORANGE, BLUE, GREEN), strict=False):
        series = [(time, 100 * value / target) for time, value in evidence.reading(metric)]
        label = f"{evidence.triggers.title(metric)} (target {target:g})"
        _steps(axes, evidence, series, end, color=color, label=label)
    axes.axhline(100, color=BLACK, linewidth=1, linestyle="--")
    axes.set_ylabel("%")
    axes.legend(loc="upper right", ncols=3)


def _latency(axes: Axes, evidence: ScalingEvidence, found: Sequence[Window], objective: float) -> None:
    axes.set_title(f"Latency of {evidence.route}")
    times = [window.end - evidence.step for window in found]
    for share, color in ((50, SKY), (95, BLUE)):
        values = [window.latency(share, evidence.route) or float("nan") for window in found]
        axes.plot(times, values, color=color, label=f"p{share}")
    axes.axhline(1000 * objective, color=BLACK, linewidth=1, linestyle="--", label="objective of p95")
    axes.set_ylabel("ms")
    axes.legend(loc="upper right", ncols=3)


def _rate(axes: Axes, evidence: ScalingEvidence, found: Sequence[Window]) -> None:
    axes.set_title("Requests per second, by outcome")
    times = [window.end - evidence.step for window in found]
    axes.plot(
        times, [sum(not it.lost for it in window.records) / WINDOW_SECONDS for window in found], color=BLUE, label="ok"
    )
    for outcome in sorted({outcome for window in found for outcome in window.errors()}):
        values = [window.errors().get(outcome, 0) for window in found]
        axes.bar(times, values, width=WINDOW_SECONDS, color=OUTCOMES.get(outcome, RED), label=outcome)
    axes.set_ylabel("/s")
    axes.legend(loc="upper right", ncols=4)


def _steps(
    axes: Axes, evidence: ScalingEvidence, series: Sequence[tuple[float, float]], end: float, **style: object
) -> None:
    """A line that keeps each value until the next."""
    last = at(series, end)
    points = [(time, value) for time, value in series if time < end] + ([(end, last)] if last is not None else [])
    axes.step([time - evidence.step for time, _ in points], [value for _, value in points], where="post", **style)  # type: ignore[arg-type]


def _marks(axes: Axes, marks: Sequence[Mark]) -> None:
    for mark in marks:
        if mark.seconds is not None:
            axes.axvline(mark.seconds, color=GREY, linewidth=0.8, alpha=0.7, zorder=0.5)


def _number(axes: Axes, marks: Sequence[Mark]) -> None:
    """Writes the numbers of the marks, as in the table, above their lines. Close marks share a label."""
    came = sorted((mark.seconds, number) for number, mark in enumerate(marks, 1) if mark.seconds is not None)
    left, right = axes.get_xlim()
    groups: list[tuple[float, list[int]]] = []
    for seconds, number in came:
        if groups and seconds - groups[-1][0] < (right - left) / 60:
            groups[-1][1].append(number)
        else:
            groups.append((seconds, [number]))
    for seconds, numbers in groups:
        text = ",".join(map(str, sorted(numbers)))
        axes.annotate(
            text,
            (seconds, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 1),
            fontsize=8,
            color="#4a4f57",
            textcoords="offset points",
            ha="center",
            va="bottom",
        )


def _span(evidence: ScalingEvidence) -> tuple[float, float]:
    """The first and last request in Unix seconds; without requests, the whole timeline."""
    times = [record.started for record in evidence.records] or [evidence.began]
    ends = [record.ended for record in evidence.records] or [evidence.history.observations[-1].arrived]
    return min(times), max(ends)
