"""The advice on each cause of a loss, with the source of the rule."""

from dataclasses import dataclass, replace

from drydock.analysis.causes import Cause
from drydock.core.project import Shutdown

TERMINATION = "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
PROBES = "kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes"
HTTP = "RFC 9112, 9.6"
SERVICE = "docs/reference/service.md"


@dataclass(frozen=True)
class Advice:
    """The change to make, and the source of the rule.

    `advice_on` fills {drain} and {graceful} in `change` with the variables of the service.
    """

    change: str
    source: str


ADVICE: dict[Cause, Advice] = {
    Cause.REFUSED_AFTER_REMOVAL: Advice(
        "Add `lifecycle.preStop.sleep` of 5 s to the container: it keeps the listener open until every node has "
        "removed the endpoint, and needs no change of the application. uvicorn itself closes it at SIGTERM.",
        TERMINATION,
    ),
    Cause.CLOSED_LISTENER: Advice(
        "Add `lifecycle.preStop.sleep` of 5 s to the container, which needs no change of the application. Then drain"
        "{drain} before the listener closes: the kernel resets the connections in its backlog.",
        TERMINATION,
    ),
    Cause.NOT_ACCEPTED: Advice(
        "Add `lifecycle.preStop.sleep` of 5 s to the container: then no new connection arrives after SIGTERM. Run "
        "one process a pod: the parent of `uvicorn --workers` keeps the socket open while no worker accepts.",
        TERMINATION,
    ),
    Cause.RESET_ON_KEPT_ALIVE: Advice(
        "While draining, answer with `Connection: close`, so that each client closes its own connection. Keep the "
        "keep-alive timeout of the server above that of its clients.",
        HTTP,
    ),
    Cause.KEEP_ALIVE_TIMEOUT: Advice(
        "Set the server's keep-alive timeout above the idle timeout of the proxies before it: `uvicorn "
        "--timeout-keep-alive 75` for one of 60 s. uvicorn's default is 5 s. Or let the proxy retry such a request.",
        HTTP,
    ),
    Cause.CUT_IN_FLIGHT: Advice(
        "Give requests in flight enough time: a graceful timeout{graceful} above the slowest request, and "
        "terminationGracePeriodSeconds above preStop + drain + graceful + close + flush. `drydock check` adds it up.",
        TERMINATION,
    ),
    Cause.PROCESS_DEAD: Advice(
        "A killed process cannot drain. Find the cause of the kill (memory limit, liveness probe), run at least two "
        "pods, and let readiness fail fast (period x threshold).",
        PROBES,
    ),
    Cause.NOT_LISTENING_YET: Advice(
        "Give the container a readiness probe. Without one, it receives requests as soon as its process runs.", PROBES
    ),
    Cause.NO_ENDPOINT: Advice(
        "A Service without a ready pod refuses connections by ICMP. Linux sends about one ICMP message a second, so "
        "most clients time out. Let readiness fail only for dependencies that every request needs, with a threshold "
        "that outlasts a short outage, and keep one pod by a PodDisruptionBudget.",
        PROBES,
    ),
    Cause.NEVER_READY: Advice(
        "Let the readiness probe check the dependencies of requests (the database, the schema), and not only the "
        "process. A release that cannot serve must not receive requests.",
        PROBES,
    ),
    Cause.NO_DATABASE: Advice(
        "Nothing to change: without a database, 503 with Retry-After is the right answer. Clients should retry with "
        "the same Idempotency-Key.",
        "RFC 9110, 15.6.4",
    ),
    Cause.SHED: Advice(
        "The pool had no free connection in time. Look for a lock (a migration without lock_timeout), a slow "
        "statement, or a pool that is too small for the load of one pod.",
        "postgresql.org/docs/18/explicit-locking.html",
    ),
    Cause.UNAVAILABLE: Advice(
        "Read the body of the answer and the log lines of the request's trace: only the service knows why. If this 503 "
        "means that its pool had no connection, set `no_connection` of [workload] in drydock.toml.",
        SERVICE,
    ),
    Cause.SERVER_ERROR: Advice("Read the log lines of the request's trace.", SERVICE),
    Cause.CLIENT_ERROR: Advice("The service has no such route or resource: correct [judge] in drydock.toml.", SERVICE),
    Cause.NOT_ANSWERED: Advice(
        "A pod did not answer: look for a blocking call in a coroutine, or a lock. Readiness removes such a pod "
        "within period x threshold: shorten these, and move blocking work to a thread.",
        PROBES,
    ),
    Cause.UNKNOWN: Advice(
        "Read the reason of the request, and the events of that second in timeline.json.", "docs/reference/drills.md"
    ),
}


def advice_on(cause: Cause, shutdown: Shutdown | None) -> Advice:
    """The advice on a cause, with the variables of [shutdown]; without them in general terms."""
    advice = ADVICE[cause]
    drain, graceful = (shutdown.drain, shutdown.graceful) if shutdown else ((), ())
    return replace(advice, change=advice.change.format(drain=_named(drain), graceful=_named(graceful)))


def _named(variables: tuple[str, ...]) -> str:
    return f" ({', '.join(variables)})" if variables else ""
