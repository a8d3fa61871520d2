"""What to change, for each cause of a loss; each with the source of the rule."""

from dataclasses import dataclass, replace

from drydock.analysis.causes import Cause
from drydock.core.project import Shutdown

TERMINATION = "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
PROBES = "kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes"
HTTP = "RFC 9112, 9.6"
SERVICE = "docs/reference/service.md"


@dataclass(frozen=True)
class Advice:
    """What to change, and where the rule comes from.

    In `change`, {drain} and {graceful} are the places of the service's own variables; `advice_on` fills them in.
    """

    change: str
    source: str


ADVICE: dict[Cause, Advice] = {
    Cause.REFUSED_AFTER_REMOVAL: Advice(
        "Keep the listener open until every node knows that the pod leaves: a preStop sleep of 5 s, then a "
        "drain{drain} before the server closes its listener. uvicorn by itself closes it at SIGTERM.",
        TERMINATION,
    ),
    Cause.CLOSED_LISTENER: Advice(
        "Drain before the listener closes: what waits in its backlog is reset by the kernel otherwise.", SERVICE
    ),
    Cause.RESET_ON_KEPT_ALIVE: Advice(
        "While draining, answer with `Connection: close`, so that each client retires its connection itself; and keep "
        "the server's keep-alive timeout above that of its clients.",
        HTTP,
    ),
    Cause.CUT_IN_FLIGHT: Advice(
        "Give requests in flight the time that they need: a graceful stop{graceful} above the slowest request, and "
        "terminationGracePeriodSeconds above preStop + drain + graceful + close + flush. `drydock check` adds it up.",
        TERMINATION,
    ),
    Cause.PROCESS_DEAD: Advice(
        "A killed process cannot say goodbye: find what killed it (memory limit, liveness probe), run two pods or "
        "more, and let readiness fail fast (period x threshold).",
        PROBES,
    ),
    Cause.NOT_LISTENING_YET: Advice(
        "Give the container a readiness probe: without one it is sent requests as soon as its process runs.", PROBES
    ),
    Cause.NO_ENDPOINT: Advice(
        "A Service without a ready pod refuses by ICMP, of which Linux sends about one a second: most clients "
        "hear nothing and time out. Readiness should fail only for what this pod cannot serve without, with a "
        "threshold that outlasts a short outage; and a disruption budget keeps one pod.",
        PROBES,
    ),
    Cause.NEVER_READY: Advice(
        "Let the readiness probe ask what requests need (the database, the schema), not whether the process answers: "
        "a release that cannot serve must not be sent requests.",
        PROBES,
    ),
    Cause.NO_DATABASE: Advice(
        "Nothing to change where the database is out: 503 with Retry-After is the right answer. Its clients should "
        "retry with the same Idempotency-Key.",
        "RFC 9110, 15.6.4",
    ),
    Cause.SHED: Advice(
        "The pool gave no connection in time: look for a lock (a migration without lock_timeout), a slow statement, or "
        "a pool that is too small for the load of one pod.",
        "postgresql.org/docs/18/explicit-locking.html",
    ),
    Cause.SERVER_ERROR: Advice("See the service's log for the request's trace.", SERVICE),
    Cause.CLIENT_ERROR: Advice(
        "The judge asks for what the service does not have: see [judge] in drydock.toml.", SERVICE
    ),
    Cause.NOT_ANSWERED: Advice(
        "A pod held requests without answering: a blocking call in a coroutine, or a lock. Readiness takes such a pod "
        "out within period x threshold; shorten these, and move blocking work to a thread.",
        PROBES,
    ),
    Cause.UNKNOWN: Advice(
        "See the request's reason, and the events of that second in timeline.json.", "docs/reference/drills.md"
    ),
}


def advice_on(cause: Cause, shutdown: Shutdown | None) -> Advice:
    """What to change about a cause, with the variables that [shutdown] names; without them, in general words."""
    advice = ADVICE[cause]
    drain, graceful = (shutdown.drain, shutdown.graceful) if shutdown else ((), ())
    return replace(advice, change=advice.change.format(drain=_named(drain), graceful=_named(graceful)))


def _named(variables: tuple[str, ...]) -> str:
    return f" ({', '.join(variables)})" if variables else ""
