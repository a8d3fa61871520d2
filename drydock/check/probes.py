"""Rules of the probes: each asks the right endpoint, in the right rhythm."""

from collections.abc import Callable

from drydock.check.rule import Finding, Rule
from drydock.check.subject import PROBES, RenderedWorkload, Subject
from drydock.manifests import probes

DEPLOYMENT = "k8s/base/{}/deployment.yaml"
SOURCE = "kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes"
API = "kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe"
# A first start on a busy machine took 20 s (docs/reference/measured.md); three times that.
STARTUP_SECONDS = 60
# A garbage collection, a slow disk, a node that is short of CPU: a restart makes each of them worse.
LIVENESS_SECONDS = 20

type Evaluate = Callable[[RenderedWorkload], Finding]


def _asks(kind: str, expected: Callable[[RenderedWorkload], str]) -> Evaluate:
    def evaluate(workload: RenderedWorkload) -> Finding:
        path = workload.probe(kind).get("httpGet", {}).get("path")
        observed = f"{kind} asks {path}" if path else f"there is no {kind}"
        return Finding(path == expected(workload), observed, f"Let {kind} ask {expected(workload)}.")

    return evaluate


def _live(workload: RenderedWorkload) -> str:
    return workload.configuration.probes.live


def _ready(workload: RenderedWorkload) -> str:
    return workload.configuration.probes.ready


def _named_port(workload: RenderedWorkload) -> Finding:
    names = {port.get("name") for port in workload.container.get("ports", [])}
    asked = {workload.probe(kind)["httpGet"].get("port") for kind in PROBES if "httpGet" in workload.probe(kind)}
    observed = f"ports {', '.join(sorted(map(str, asked))) or 'none'}"
    return Finding(asked <= names, observed, "Ask the port by its name, so that its number stands in one place.")


def _timeouts(workload: RenderedWorkload) -> Finding:
    found = {kind: probe for kind in PROBES if (probe := workload.probe(kind))}
    wrong = [
        f"{kind} {probes.timeout(probe)} of {probes.period(probe)} s"
        for kind, probe in found.items()
        if probes.timeout(probe) >= probes.period(probe)
    ]
    return Finding(not wrong, ", ".join(wrong) or "every timeout is shorter than its period", "Lower timeoutSeconds.")


def _startup_patience(workload: RenderedWorkload) -> Finding:
    startup, liveness = workload.probe("startupProbe"), workload.probe("livenessProbe")
    seconds = probes.patience(startup) if startup else int(liveness.get("initialDelaySeconds", 0))
    remedy = f"Give the startup probe {STARTUP_SECONDS} s or more (period x threshold)."
    return Finding(seconds >= STARTUP_SECONDS, f"a start may take {seconds} s", remedy)


def _liveness_patience(workload: RenderedWorkload) -> Finding:
    seconds = probes.patience(workload.probe("livenessProbe"))
    remedy = f"Let period x threshold of liveness be {LIVENESS_SECONDS} s or more."
    return Finding(seconds >= LIVENESS_SECONDS, f"it is restarted after {seconds} s without an answer", remedy)


def _sheds_first(workload: RenderedWorkload) -> Finding:
    readiness, restart = workload.probe("readinessProbe"), probes.patience(workload.probe("livenessProbe"))
    if not readiness:
        return Finding(False, "there is no readinessProbe", "Add one.")
    removal = probes.patience(readiness)
    observed = f"out of the Service after {removal} s, restarted after {restart} s"
    return Finding(removal < restart, observed, "Let readiness fail before liveness does.")


def _rule(name: str, sentence: str, evaluate: Evaluate, source: str = SOURCE) -> Rule:
    return Rule(f"probes/{name}", sentence, source, DEPLOYMENT, evaluate, Subject.probed)


RULES = (
    _rule("readiness-asks-for-readiness", "Readiness asks whether it can serve.", _asks("readinessProbe", _ready)),
    _rule("liveness-asks-for-life", "Liveness depends on the process alone.", _asks("livenessProbe", _live)),
    _rule("startup-asks-for-life", "A startup probe waits for the process.", _asks("startupProbe", _live)),
    _rule("named-port", "Probes ask a named port.", _named_port, API),
    _rule("timeouts-below-periods", "A probe ends before the next one begins.", _timeouts, API),
    _rule("startup-has-time", "A slow start does not cause a restart.", _startup_patience),
    _rule("liveness-is-patient", "A short pause does not cause a restart.", _liveness_patience),
    Rule(
        "probes/readiness-sheds-first",
        "A pod leaves the Service before the kubelet restarts it.",
        SOURCE,
        DEPLOYMENT,
        _sheds_first,
        Subject.behind_a_service,
    ),
)
