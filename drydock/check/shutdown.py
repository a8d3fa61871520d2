"""Rules of the shutdown: every step fits, and the process hears of it."""

from drydock.check.rule import Finding, Rule
from drydock.check.subject import Subject

DEPLOYMENT = "k8s/base/shop/deployment.yaml"
TERMINATION = "kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination"
# Measured on kind (docs/reference/measured.md): kube-proxy sends no new connections 1 to 2 s after a pod's deletion.
PROPAGATION_SECONDS = 2.0
SHELLS = ("sh", "bash", "/bin/sh", "/bin/bash")


def _budget_fits(subject: Subject) -> Finding:
    budget = subject.budget
    observed = (
        f"preStop {budget.prestop:g} + drain {budget.drain:g} + graceful {budget.graceful:g} "
        f"+ close {budget.close:g} = {budget.total:g} s of {budget.grace:g} s"
    )
    return Finding(budget.total < budget.grace, observed, f"Set terminationGracePeriodSeconds above {budget.total:g}.")


def _outlasts_propagation(subject: Subject) -> Finding:
    seconds = subject.budget.prestop + subject.budget.drain
    observed = f"the listener stays open for {seconds:g} s after the deletion"
    return Finding(seconds > PROPAGATION_SECONDS, observed, "Add a preStop sleep of 5 s, and a drain.")


def _prestop(subject: Subject) -> Finding:
    seconds = subject.budget.prestop
    return Finding(seconds > PROPAGATION_SECONDS, f"preStop sleeps {seconds:g} s", "Add a preStop sleep of 5 s.")


def _drains(subject: Subject) -> Finding:
    seconds = subject.budget.drain
    observed = f"it answers with Connection: close for {seconds:g} s"
    return Finding(
        seconds > 0, observed, "Set the drain's variable: kept-alive connections are closed unasked otherwise."
    )


def _graceful(subject: Subject) -> Finding:
    shutdown = subject.project.configuration.shutdown
    seconds = subject.budget.graceful - shutdown.backlog_seconds
    longest = max(subject.project.configuration.judge.long_seconds, 1)
    remedy = f"Set {' and '.join(shutdown.graceful)} to more than the slowest request: uvicorn waits for ever, or cuts."
    return Finding(
        seconds >= longest, f"requests in flight have {seconds:g} s, the slowest takes {longest:g} s", remedy
    )


def _hears_the_signal(subject: Subject) -> Finding:
    command = subject.command
    execs = len(command) == 3 and command[1] == "-c" and "exec " in command[2]
    holds = bool(command) and (command[0] not in SHELLS or execs)
    return Finding(
        holds, f"PID 1 is {command[0] if command else 'a shell'}", "Write the command in exec form, without a shell."
    )


def _no_reload(subject: Subject) -> Finding:
    reloads = any("reload" in word for word in subject.command)
    observed = "it reloads" if reloads else "it does not reload"
    return Finding(
        not reloads, observed, "Leave reloading to the overlay dev: its parent process answers SIGTERM at once."
    )


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
        "The listener stays open until every node knows that the pod leaves.",
        "docs/reference/measured.md",
        DEPLOYMENT,
        _outlasts_propagation,
    ),
    Rule(
        "shutdown/prestop-sleeps",
        "preStop sleeps until no node sends new connections.",
        TERMINATION,
        DEPLOYMENT,
        _prestop,
    ),
    Rule(
        "shutdown/drains",
        "Kept-alive connections are retired by a response, not cut.",
        "RFC 9112, 9.6",
        "k8s/base/shop.env",
        _drains,
    ),
    Rule(
        "shutdown/in-flight-has-time",
        "What is in flight at SIGTERM has the time that the slowest request takes.",
        "uvicorn.org/server-behavior/#graceful-process-shutdown",
        "k8s/base/shop.env",
        _graceful,
    ),
    Rule(
        "shutdown/process-hears-sigterm",
        "The server itself is PID 1: a shell does not pass SIGTERM on.",
        "docs.docker.com/reference/dockerfile/#exec-form",
        "Dockerfile",
        _hears_the_signal,
    ),
    Rule(
        "shutdown/no-reload",
        "Production does not reload.",
        "uvicorn.org/settings/#development",
        DEPLOYMENT,
        _no_reload,
    ),
)
