"""Rules of a rollout and of an eviction: somebody serves while somebody goes."""

from drydock.check.rule import Finding, Rule
from drydock.check.subject import Subject

DEPLOYMENT = "k8s/base/shop/deployment.yaml"
BUDGET = "k8s/base/shop/pod-disruption-budget.yaml"
ROLLING = "kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment"
DISRUPTIONS = "kubernetes.io/docs/tasks/run-application/configure-pdb"
SPREAD = "kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints"


def _none_unavailable(subject: Subject) -> Finding:
    strategy = subject.deployment["spec"].get("strategy", {})
    unavailable = strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%")
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    observed = f"maxUnavailable {unavailable}" if rolling else f"strategy {strategy['type']}"
    return Finding(rolling and str(unavailable) in ("0", "0%"), observed, "Set maxUnavailable to 0 and maxSurge to 1.")


def _surges(subject: Subject) -> Finding:
    surge = subject.deployment["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", "25%")
    return Finding(str(surge) not in ("0", "0%"), f"maxSurge {surge}", "Set maxSurge to 1.")


def _two_pods(subject: Subject) -> Finding:
    return Finding(subject.fewest_pods >= 2, f"{subject.fewest_pods} pods at the least", "Run two pods or more.")


def _deadline(subject: Subject) -> Finding:
    seconds = subject.deployment["spec"].get("progressDeadlineSeconds", 600)
    return Finding(
        seconds <= 300, f"a rollout that stands still is reported after {seconds} s", "Lower progressDeadlineSeconds."
    )


def _budget_exists(subject: Subject) -> Finding:
    count = len(subject.disruption_budgets)
    return Finding(count == 1, f"{count} disruption budgets", "Have exactly one PodDisruptionBudget for these pods.")


def _budget_allows(subject: Subject) -> Finding:
    for budget in subject.disruption_budgets:
        spec = budget["spec"]
        most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
        blocked = (
            str(most) in ("0", "0%") or least == "100%" or (isinstance(least, int) and least >= subject.fewest_pods)
        )
        observed = f"maxUnavailable {most}" if most is not None else f"minAvailable {least} of {subject.fewest_pods}"
        return Finding(not blocked, observed, "Let one pod go, or a node can never be drained.")
    return Finding(False, "no disruption budget", "Add one with maxUnavailable 1.")


def _unhealthy(subject: Subject) -> Finding:
    policies = {it["spec"].get("unhealthyPodEvictionPolicy", "IfHealthyBudget") for it in subject.disruption_budgets}
    observed = ", ".join(sorted(policies)) or "no disruption budget"
    return Finding(policies == {"AlwaysAllow"}, observed, "Set unhealthyPodEvictionPolicy to AlwaysAllow.")


def _spread(subject: Subject) -> Finding:
    keys = [it["topologyKey"] for it in subject.pod.get("topologySpreadConstraints", [])]
    affinity = bool(subject.pod.get("affinity", {}).get("podAntiAffinity"))
    observed = f"spread over {', '.join(keys)}" if keys else "spread by anti-affinity" if affinity else "not spread"
    return Finding(bool(keys) or affinity, observed, "Spread the pods over the nodes.")


RULES = (
    Rule(
        "rollout/none-unavailable",
        "A rollout takes no pod before its successor is ready.",
        ROLLING,
        DEPLOYMENT,
        _none_unavailable,
    ),
    Rule("rollout/surges", "A rollout may start a pod more.", ROLLING, DEPLOYMENT, _surges),
    Rule(
        "rollout/two-pods",
        "One pod serves while another goes.",
        DISRUPTIONS,
        "k8s/autoscaling/keda/shop.yaml",
        _two_pods,
    ),
    Rule(
        "rollout/stall-is-reported", "A release that never becomes ready is reported.", ROLLING, DEPLOYMENT, _deadline
    ),
    Rule("rollout/one-disruption-budget", "An eviction has a budget.", DISRUPTIONS, BUDGET, _budget_exists),
    Rule("rollout/drain-is-possible", "The budget lets a node be drained.", DISRUPTIONS, BUDGET, _budget_allows),
    Rule(
        "rollout/unhealthy-may-go", "A pod that serves nothing does not keep a node.", DISRUPTIONS, BUDGET, _unhealthy
    ),
    Rule("rollout/spread", "Pods are spread over nodes.", SPREAD, DEPLOYMENT, _spread),
)
