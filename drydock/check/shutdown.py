"""Rules of the shutdown: every step fits, and the process receives SIGTERM."""

from drydock.check.rule import Finding, Rule
from drydock.check.subject import RenderedWorkload, Subject
from drydock.manifests.shutdown_budget import PROPAGATION_SECONDS

DEPLOYMENT = "k8s/base/{}/deployment.yaml"
VARIABLES = "k8s/base/{}.env"
TERMINATION = "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash")
# uvicorn's option and our module of that name, and the program behind `uvicorn --reload`.
RELOADERS = ("reload", "watchfiles")


def _budget_fits(workload: RenderedWorkload) -> Finding:
    budget = workload.budget
    observed = (
        f"preStop {budget.prestop:g} + drain {budget.drain:g} + graceful {budget.graceful:g} "
        f"+ close {budget.close:g} = {budget.total:g} s of {budget.grace:g} s"
    )
    return Finding(budget.total < budget.grace, observed, f"Set terminationGracePeriodSeconds above {budget.total:g}.")


def _outlasts_propagation(workload: RenderedWorkload) -> Finding:
    seconds = workload.budget.prestop + workload.budget.drain
    observed = f"the listener stays open for {seconds:g} s after the deletion"
    return Finding(seconds > PROPAGATION_SECONDS, observed, "Add a preStop sleep of 5 s, and a drain.")


def _prestop(workload: RenderedWorkload) -> Finding:
    seconds = workload.budget.prestop
    return Finding(seconds > PROPAGATION_SECONDS, f"preStop sleeps {seconds:g} s", "Add a preStop sleep of 5 s.")


def _drains(workload: RenderedWorkload) -> Finding:
    seconds = workload.budget.drain
    remedy = "Set the drain's variable, or the service closes kept-alive connections without notice."
    return Finding(seconds > 0, f"it answers with Connection: close for {seconds:g} s", remedy)


def _graceful(workload: RenderedWorkload) -> Finding:
    shutdown = workload.configuration.shutdown
    seconds = workload.budget.graceful - shutdown.backlog_seconds
    longest = max(workload.configuration.judge.long_seconds, 1)
    observed = f"requests in flight have {seconds:g} s, the slowest takes {longest:g} s"
    remedy = f"Set {' and '.join(shutdown.graceful)} to more than the slowest request takes: uvicorn cuts it otherwise."
    return Finding(seconds >= longest, observed, remedy)


def _receives_the_signal(workload: RenderedWorkload) -> Finding:
    command = workload.command
    execs = len(command) == 3 and command[1] == "-c" and "exec " in command[2]
    holds = bool(command) and (command[0] not in SHELLS or execs)
    observed = f"PID 1 is {command[0] if command else 'a shell'}"
    return Finding(holds, observed, "Write the command in exec form, without a shell.")


def _no_reload(workload: RenderedWorkload) -> Finding:
    reloads = any(name in word for word in workload.command for name in RELOADERS)
    observed = "it reloads" if reloads else "it does not reload"
    remedy = "Reload in the overlay dev only: a reloader's parent process answers SIGTERM at once."
    return Finding(not reloads, observed, remedy)


RULES = (
    Rule(
        "shutdown/budget-fits",
        "preStop, drain, graceful stop, pool and telemetry fit in the grace period.",
        TERMINATION,
        DEPLOYMENT,
        _budget_fits,
    ),
    Rule(
        "shutdown/listener-outlasts-propagation",
        "The listener stays open until no node sends new connections.",
        "docs/reference/measured.md",
        DEPLOYMENT,
        _outlasts_propagation,
        Subject.behind_a_service,
    ),
    Rule(
        "shutdown/prestop-sleeps",
        "preStop sleeps until no node sends new connections.",
        TERMINATION,
        DEPLOYMENT,
        _prestop,
        Subject.behind_a_service,
    ),
    Rule(
        "shutdown/drains",
        "A response with Connection: close ends each kept-alive connection.",
        "RFC 9112, 9.6",
        VARIABLES,
        _drains,
        Subject.behind_a_service,
    ),
    Rule(
        "shutdown/in-flight-has-time",
        "Requests in flight at SIGTERM get as long as the slowest request takes.",
        "uvicorn.org/server-behavior/#graceful-process-shutdown",
        VARIABLES,
        _graceful,
        Subject.behind_a_service,
    ),
    Rule(
        "shutdown/process-hears-sigterm",
        "The server itself is PID 1: a shell does not pass SIGTERM on.",
        "docs.docker.com/reference/dockerfile/#exec-form",
        "Dockerfile",
        _receives_the_signal,
    ),
    Rule(
        "shutdown/no-reload", "Production does not reload.", "uvicorn.org/settings/#development", DEPLOYMENT, _no_reload
    ),
)
