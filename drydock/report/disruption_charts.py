"""The charts of a shutdown drill: outcomes, latency, CPU and pods, in seconds since the action."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from drydock.analysis.disruption_analysis import Analysis
from drydock.analysis.evidence import Evidence
from drydock.analysis.pod_terminations import PodTermination
from drydock.analysis.starvation import QUANTILE, STARVED_SECONDS
from drydock.report.chart_style import BLACK, BLUE, GREEN, LOOK, ORANGE, OUTCOMES, PURPLE, RED, SKY, svg
from drydock.requests.outcome import Outcome
from drydock.requests.records import Record
from drydock.requests.statistics import percentile
from drydock.timeline.history import unix

# The phases of a pod between two marks, and their colours.
RUNNING, READY, TERMINATING, DRAINING, CLOSING = "not ready", "ready", "preStop", "draining", "closing"
COLOURS = {RUNNING: "#d5dae1", READY: GREEN, TERMINATING: ORANGE, DRAINING: SKY, CLOSING: PURPLE}
# A logarithmic axis has no zero.
SHORTEST_DELAY_SECONDS = 0.0001
LATENCY_SHARES = ((50, SKY), (95, BLUE), (99, PURPLE))


def drill(analysis: Analysis) -> str:
    """The charts as one SVG."""
    evidence = analysis.evidence
    lanes = list(_lanes(analysis))
    with mpl.rc_context(LOOK):
        height = 7.0 + 0.42 * max(len(lanes), 2)
        ratios = [1.25, 1.1, 0.7, 0.35 + 0.21 * max(len(lanes), 2)]
        figure = Figure(figsize=(11, height), layout="constrained")
        outcomes, times, machine, pods = figure.subplots(4, 1, sharex=True, height_ratios=ratios)
        seconds = _by_second(evidence)
        _outcomes(outcomes, seconds)
        _latency(times, seconds)
        _machine(machine, seconds, evidence)
        _pods(pods, lanes)
        for axes in (outcomes, times, machine, pods):
            _moments(axes, evidence)
            axes.set_axisbelow(True)
        for axes in (outcomes, times, machine):
            axes.grid(axis="y")
        _name(outcomes, evidence)
        pods.set_xlabel("seconds since the action")
        pods.set_xlim(evidence.started - evidence.action_started, evidence.ended - evidence.action_started)
        return svg(figure)


def _by_second(evidence: Evidence) -> Mapping[int, Sequence[Record]]:
    """The requests by the second in which they ended."""
    found: dict[int, list[Record]] = {}
    for record in evidence.records:
        found.setdefault(int((record.ended - evidence.action_started) // 1), []).append(record)
    return found


def _outcomes(axes: Axes, seconds: Mapping[int, Sequence[Record]]) -> None:
    axes.set_title("Requests per second, by outcome")
    counts = {second: Counter(record.outcome for record in records) for second, records in seconds.items()}
    present = [outcome for outcome in Outcome if any(count[outcome] for count in counts.values())]
    bottom = dict.fromkeys(counts, 0)
    for outcome in present:
        values = [counts[second][outcome] for second in counts]
        axes.bar(
            [second + 0.5 for second in counts],
            values,
            bottom=[bottom[second] for second in counts],
            width=1.0,
            color="#c9dcea" if outcome is Outcome.OK else OUTCOMES.get(outcome, RED),
            label=outcome,
        )
        bottom = {second: bottom[second] + counts[second][outcome] for second in counts}
    axes.set_ylabel("/s")
    axes.margins(y=0.18)
    axes.legend(loc="lower right", ncols=4)


def _latency(axes: Axes, seconds: Mapping[int, Sequence[Record]]) -> None:
    axes.set_title("Latency of successful requests, without long requests")
    order = sorted(seconds)
    for share, color in LATENCY_SHARES:
        values = [_latency_of(seconds[second], share) for second in order]
        axes.plot([second + 0.5 for second in order], values, color=color, label=f"p{share}", linewidth=1.3)
    axes.set_yscale("log")
    axes.set_ylabel("ms")
    axes.legend(loc="upper right", ncols=3)


def _latency_of(records: Sequence[Record], share: int) -> float:
    good = sorted(1000 * it.seconds for it in records if not it.lost and it.lane != "long")
    return good[min(len(good) - 1, int(len(good) * share / 100))] if good else float("nan")


def _machine(axes: Axes, seconds: Mapping[int, Sequence[Record]], evidence: Evidence) -> None:
    axes.set_title("CPU: start delay of the judge, and the share of time in which a task waited for a CPU")
    order = sorted(seconds)
    delays = [percentile(sorted(it.started - it.intended for it in seconds[second]), QUANTILE) for second in order]
    values = [1000 * max(delay or 0.0, SHORTEST_DELAY_SECONDS) for delay in delays]
    axes.plot([second + 0.5 for second in order], values, color=BLUE, label=f"start delay, p{QUANTILE}", linewidth=1.3)
    axes.axhline(1000 * STARVED_SECONDS, color=RED, linewidth=0.8, linestyle="--", label="out of CPU above this")
    axes.set_yscale("log")
    axes.set_ylabel("ms")
    if shares := evidence.pressure.shares:
        pressure = axes.twinx()
        times = [time - evidence.action_started for time, _ in shares]
        percents = [100 * share for _, share in shares]
        pressure.fill_between(times, percents, step="pre", color=COLOURS[RUNNING], alpha=0.5, linewidth=0)
        pressure.set_ylim(0, 100)
        pressure.set_ylabel("% waited")
        axes.set_zorder(pressure.get_zorder() + 1)
        axes.patch.set_visible(False)
    axes.legend(loc="upper right", ncols=2)


def _pods(axes: Axes, lanes: Sequence["_Lane"]) -> None:
    axes.set_title("Pods")
    for row, lane in enumerate(lanes):
        for phase, begin, end in lane.phases:
            axes.broken_barh([(begin, end - begin)], (row - 0.3, 0.6), color=COLOURS[phase], linewidth=0)
        for time, text in lane.ends:
            axes.annotate(text, (time, row), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes], fontsize=8)
    axes.set_ylim(len(lanes) - 0.4, -1.0)
    handles = [mpl.patches.Patch(color=color, label=phase) for phase, color in COLOURS.items()]
    axes.legend(handles=handles, loc="upper right", ncols=5)


class _Lane:
    """A pod: its phases and exits, in seconds since the action."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.phases: list[tuple[str, float, float]] = []
        self.ends: list[tuple[float, str]] = []


def _lanes(analysis: Analysis) -> Iterator[_Lane]:
    evidence = analysis.evidence
    end = evidence.ended - evidence.action_started
    leaving = {termination.pod: termination for termination in analysis.terminations if not termination.restarted}
    seen_pods = evidence.history.pods(evidence.workload.deployment)
    before = {seen.name for seen in seen_pods if seen.change == "removed" and seen.arrived < evidence.started}
    names = dict.fromkeys(seen.name for seen in seen_pods if seen.name not in before)
    for name in sorted(names, key=lambda pod: (_created(evidence, pod), pod)):
        lane = _Lane(name)
        termination = leaving.get(name)
        until = termination.began - evidence.action_started if termination else end
        lane.phases += _life(evidence, name, until)
        if termination:
            lane.phases += _leaving(termination, evidence.action_started)
            gone = (
                termination.marks.get("ended") or termination.marks.get("gone", evidence.ended)
            ) - evidence.action_started
            lane.ends.append((gone, "" if termination.exit_code is None else f"exit {termination.exit_code}"))
        for it in analysis.terminations:
            if it.restarted and it.pod == name:
                lane.ends.append((it.marks["ended"] - evidence.action_started, f"exit {it.exit_code}, restarted"))
        yield lane


def _created(evidence: Evidence, pod: str) -> float:
    created = (seen.state["created"] for seen in evidence.history.of("Pod") if seen.name == pod)
    return min((unix(time) for time in created if time), default=0.0)


def _life(evidence: Evidence, pod: str, until: float) -> Iterator[tuple[str, float, float]]:
    """The phases of a pod before its termination, by readiness."""
    begin = evidence.started - evidence.action_started
    seen = [it for it in evidence.history.pods(evidence.workload.deployment) if it.name == pod]
    steps = [(max(begin, it.arrived - evidence.action_started), READY if it.state["ready"] else RUNNING) for it in seen]
    for (time, phase), (following, _) in zip(steps, [*steps[1:], (until, "")], strict=True):
        if time < min(following, until):
            yield phase, time, min(following, until)


def _leaving(termination: PodTermination, action_started: float) -> Iterator[tuple[str, float, float]]:
    marks = {name: time - action_started for name, time in termination.marks.items()}
    ended = marks.get("ended", marks.get("gone", marks["deleted"]))
    term = min(marks.get("sigterm", ended), ended)
    drained = min(marks.get("drained", ended if "sigterm" in marks else term), ended)
    yield TERMINATING, marks["deleted"], term
    yield DRAINING, term, max(term, drained)
    yield CLOSING, max(term, drained), ended


def _moments(axes: Axes, evidence: Evidence) -> None:
    for time, _ in _named(evidence):
        axes.axvline(time - evidence.action_started, color=BLACK, linewidth=0.9, linestyle="--", zorder=2.5)


def _named(evidence: Evidence) -> list[tuple[float, str]]:
    """The moments of the drill; a short action has one moment."""
    moments = [(evidence.action_started, "action")]
    if evidence.action_ended - evidence.action_started > (evidence.ended - evidence.started) / 12:
        moments.append((evidence.action_ended, "action ended"))
    if evidence.recovered_at is not None:
        moments.append((evidence.recovered_at, "recovered"))
    return moments


def _name(axes: Axes, evidence: Evidence) -> None:
    """Writes the names of the moments next to their lines."""
    for time, text in _named(evidence):
        place = (time - evidence.action_started, 0.97)
        axes.annotate(
            text,
            place,
            xycoords=("data", "axes fraction"),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=8.5,
            va="top",
            color=BLACK,
        )
