"""Rules of the probes: each asks for what it decides about, in a rhythm that can keep its promise."""

from collections.abc import Callable
from typing import Any

from drydock.check.rule import Finding, Rule
from drydock.check.subject import Subject

DEPLOYMENT = "k8s/base/shop/deployment.yaml"
SOURCE = "kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes"
API = "kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Probe"
# Kubernetes' own defaults.
PERIOD, THRESHOLD, TIMEOUT = 10, 3, 1
# A first start on a busy machine took 20 s (docs/reference/measured.md); three times that.
PATIENCE_SECONDS = 60
# A garbage collection, a slow disk, a node that is short of CPU: a restart makes each of them worse.
LIVENESS_SECONDS = 20
KINDS = ("startupProbe", "livenessProbe", "readinessProbe")


def _probe(subject: Subject, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = subject.container.get(kind) or {}
    return found


def _budget(probe: dict[str, Any]) -> int:
    """Seconds of failures until the kubelet acts."""
    return int(probe.get("periodSeconds", PERIOD)) * int(probe.get("failureThreshold", THRESHOLD))


def _asks(kind: str, expected: Callable[[Subject], str]) -> Callable[[Subject], Finding]:
    def judge(subject: Subject) -> Finding:
        path = _probe(subject, kind).get("httpGet", {}).get("path")
        observed = f"{kind} asks {path}" if path else f"there is no {kind}"
        return Finding(path == expected(subject), observed, f"Let {kind} ask {expected(subject)}.")

    return judge


def _live(subject: Subject) -> str:
    return subject.project.configuration.probes.live


def _ready(subject: Subject) -> str:
    return subject.project.configuration.probes.ready


def _named_port(subject: Subject) -> Finding:
    names = {port.get("name") for port in subject.container.get("ports", [])}
    asked = {probe["httpGet"].get("port") for kind in KINDS if (probe := _probe(subject, kind)).get("httpGet")}
    observed = f"ports {', '.join(sorted(map(str, asked))) or 'none'}"
    return Finding(asked <= names, observed, "Ask the port by its name: one place says its number.")


def _timeouts(subject: Subject) -> Finding:
    wrong = [
        f"{kind} {probe.get('timeoutSeconds', TIMEOUT)} of {probe.get('periodSeconds', PERIOD)} s"
        for kind in KINDS
        if (probe := _probe(subject, kind))
        and probe.get("timeoutSeconds", TIMEOUT) >= probe.get("periodSeconds", PERIOD)
    ]
    return Finding(not wrong, ", ".join(wrong) or "every timeout is shorter than its period", "Lower timeoutSeconds.")


def _patience(subject: Subject) -> Finding:
    startup = _probe(subject, "startupProbe")
    seconds = _budget(startup) if startup else int(_probe(subject, "livenessProbe").get("initialDelaySeconds", 0))
    remedy = f"Give the startup probe {PATIENCE_SECONDS} s or more (period x threshold)."
    return Finding(seconds >= PATIENCE_SECONDS, f"a start may take {seconds} s", remedy)


def _liveness_patience(subject: Subject) -> Finding:
    seconds = _budget(_probe(subject, "livenessProbe"))
    remedy = f"Let period x threshold of liveness be {LIVENESS_SECONDS} s or more."
    return Finding(seconds >= LIVENESS_SECONDS, f"it is restarted after {seconds} s without an answer", remedy)


def _sheds_first(subject: Subject) -> Finding:
    readiness, liveness = _probe(subject, "readinessProbe"), _budget(_probe(subject, "livenessProbe"))
    if not readiness:
        return Finding(False, "there is no readinessProbe", "Add one.")
    shed = _budget(readiness)
    observed = f"out of the Service after {shed} s, restarted after {liveness} s"
    return Finding(shed < liveness, observed, "Let readiness fail before liveness does.")


def _rule(name: str, sentence: str, judge: Callable[[Subject], Finding], source: str = SOURCE) -> Rule:
    return Rule(f"probes/{name}", sentence, source, DEPLOYMENT, judge)


RULES = (
    _rule("readiness-asks-for-readiness", "Readiness asks whether it can serve.", _asks("readinessProbe", _ready)),
    _rule("liveness-asks-for-life", "Liveness asks for nothing but the process itself.", _asks("livenessProbe", _live)),
    _rule("startup-asks-for-life", "A startup probe waits for the process.", _asks("startupProbe", _live)),
    _rule("named-port", "Probes ask a named port.", _named_port, API),
    _rule("timeouts-below-periods", "A probe ends before the next one begins.", _timeouts, API),
    _rule("startup-has-time", "A slow start is not taken for a dead process.", _patience),
    _rule("liveness-is-patient", "A pause is not taken for a dead process.", _liveness_patience),
    _rule("readiness-sheds-first", "A pod is taken out of the Service before it is restarted.", _sheds_first),
)
