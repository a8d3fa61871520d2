"""Rules of a rollout and of an eviction: one pod serves while another one ends."""

from drydock.check.rule import Finding, Rule
from drydock.check.subject import RenderedWorkload, Subject

DEPLOYMENT = "k8s/base/{}/deployment.yaml"
BUDGET = "k8s/base/{}/pod-disruption-budget.yaml"
AUTOSCALER = "k8s/autoscaling/keda/{}.yaml"
ROLLING = "kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment"
DISRUPTIONS = "kubernetes.io/docs/tasks/run-application/configure-pdb"
SPREAD = "kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints"
# Kubernetes' own default, and the most that a release may stand still.
DEADLINE_SECONDS, MOST_DEADLINE_SECONDS = 600, 300


def _none_unavailable(workload: RenderedWorkload) -> Finding:
    strategy = workload.item["spec"].get("strategy", {})
    unavailable = strategy.get("rollingUpdate", {}).get("maxUnavailable", "25%")
    rolling = strategy.get("type", "RollingUpdate") == "RollingUpdate"
    observed = f"maxUnavailable {unavailable}" if rolling else f"strategy {strategy['type']}"
    return Finding(rolling and str(unavailable) in ("0", "0%"), observed, "Set maxUnavailable to 0 and maxSurge to 1.")


def _surges(workload: RenderedWorkload) -> Finding:
    surge = workload.item["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxSurge", "25%")
    return Finding(str(surge) not in ("0", "0%"), f"maxSurge {surge}", "Set maxSurge to 1.")


def _two_pods(workload: RenderedWorkload) -> Finding:
    return Finding(workload.fewest_pods >= 2, f"at least {workload.fewest_pods} pods", "Run two pods or more.")


def _deadline(workload: RenderedWorkload) -> Finding:
    seconds = workload.item["spec"].get("progressDeadlineSeconds", DEADLINE_SECONDS)
    observed = f"Kubernetes reports a stalled rollout after {seconds} s"
    return Finding(seconds <= MOST_DEADLINE_SECONDS, observed, "Lower progressDeadlineSeconds.")


def _budget_exists(workload: RenderedWorkload) -> Finding:
    count = len(workload.disruption_budgets)
    return Finding(count == 1, f"{count} disruption budgets", "Have exactly one PodDisruptionBudget for these pods.")


def _budget_allows(workload: RenderedWorkload) -> Finding:
    fewest = workload.fewest_pods
    for budget in workload.disruption_budgets:
        most, least = budget["spec"].get("maxUnavailable"), budget["spec"].get("minAvailable")
        blocked = str(most) in ("0", "0%") or least == "100%" or (isinstance(least, int) and least >= fewest)
        observed = f"maxUnavailable {most}" if most is not None else f"minAvailable {least} of {fewest}"
        return Finding(not blocked, observed, "Allow one unavailable pod, or no node can be drained.")
    return Finding(False, "no disruption budget", "Add one with maxUnavailable 1.")


def _unhealthy(workload: RenderedWorkload) -> Finding:
    policies = {it["spec"].get("unhealthyPodEvictionPolicy", "IfHealthyBudget") for it in workload.disruption_budgets}
    observed = ", ".join(sorted(policies)) or "no disruption budget"
    return Finding(policies == {"AlwaysAllow"}, observed, "Set unhealthyPodEvictionPolicy to AlwaysAllow.")


def _spread(workload: RenderedWorkload) -> Finding:
    keys = [it["topologyKey"] for it in workload.pod.get("topologySpreadConstraints", [])]
    affinity = bool(workload.pod.get("affinity", {}).get("podAntiAffinity"))
    observed = f"spread over {', '.join(keys)}" if keys else "spread by anti-affinity" if affinity else "not spread"
    return Finding(bool(keys) or affinity, observed, "Spread the pods over the nodes.")


RULES = (
    Rule(
        "rollout/none-unavailable",
        "A rollout removes no pod before its successor is ready.",
        ROLLING,
        DEPLOYMENT,
        _none_unavailable,
        Subject.behind_a_service,
    ),
    Rule(
        "rollout/surges", "A rollout may start one extra pod.", ROLLING, DEPLOYMENT, _surges, Subject.behind_a_service
    ),
    Rule(
        "rollout/two-pods",
        "One pod serves while another one ends.",
        DISRUPTIONS,
        AUTOSCALER,
        _two_pods,
        Subject.behind_a_service,
    ),
    Rule(
        "rollout/stall-is-reported",
        "Kubernetes reports a release that never becomes ready.",
        ROLLING,
        DEPLOYMENT,
        _deadline,
    ),
    Rule(
        "rollout/one-disruption-budget",
        "Exactly one disruption budget limits evictions.",
        DISRUPTIONS,
        BUDGET,
        _budget_exists,
        Subject.behind_a_service,
    ),
    Rule(
        "rollout/drain-is-possible",
        "The budget allows a node to be drained.",
        DISRUPTIONS,
        BUDGET,
        _budget_allows,
        Subject.behind_a_service,
    ),
    Rule(
        "rollout/unhealthy-may-go",
        "An unready pod does not block a node's drain.",
        DISRUPTIONS,
        BUDGET,
        _unhealthy,
        Subject.behind_a_service,
    ),
    Rule("rollout/spread", "Pods are spread over nodes.", SPREAD, DEPLOYMENT, _spread),
)
