"""Security: what Pod Security `restricted` asks, a read-only root, no token, and nothing outside the namespace."""

import re

from drydock.manifests.objects import Findings, Object, containers, of_kind, pods

CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def numeric_user(objects: list[Object]) -> Findings:
    """Every pod runs as a user whose number says that it is not root."""
    findings = []
    for item in containers(objects):
        context = item.pod.spec.get("securityContext", {}) | item.spec.get("securityContext", {})
        if not (context.get("runAsUser", 0) > 0 and context.get("runAsGroup", 0) > 0 and context.get("runAsNonRoot")):
            findings.append(f"{item.where} does not run as a numeric user other than root")
    return findings


def confined(objects: list[Object]) -> Findings:
    """No capabilities, no way to more privileges, the runtime's seccomp profile."""
    findings = []
    for item in containers(objects):
        context = item.pod.spec.get("securityContext", {}) | item.spec.get("securityContext", {})
        if context.get("capabilities", {}).get("drop") != ["ALL"] or "add" in context.get("capabilities", {}):
            findings.append(f"{item.where} keeps capabilities")
        if context.get("allowPrivilegeEscalation") is not False:
            findings.append(f"{item.where} may gain privileges")
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            findings.append(f"{item.where} runs without the runtime's seccomp profile")
    return findings


def read_only_root(objects: list[Object]) -> Findings:
    """No container can change its own image."""
    return [
        f"{item.where} can write to its root filesystem"
        for item in containers(objects)
        if item.spec.get("securityContext", {}).get("readOnlyRootFilesystem") is not True
    ]


def no_token(objects: list[Object]) -> Findings:
    """No pod holds a token for the API server but those whose account is bound to a role."""
    bindings = [*of_kind(objects, "ClusterRoleBinding"), *of_kind(objects, "RoleBinding")]
    bound = {subject["name"] for binding in bindings for subject in binding["subjects"]}
    return [
        f"{pod.owner} mounts a token"
        for pod in pods(objects)
        if pod.spec.get("automountServiceAccountToken", True) and pod.spec.get("serviceAccountName") not in bound
    ]


def roles_only_read(objects: list[Object]) -> Findings:
    """A role names what it reads, changes nothing, and reaches no Secret."""
    findings = []
    for role in [*of_kind(objects, "ClusterRole"), *of_kind(objects, "Role")]:
        for rule in role["rules"]:
            if not set(rule["verbs"]) <= {"get", "list", "watch"} or {"*", "secrets"} & set(rule["resources"]):
                findings.append(f"{role['kind']}/{role['metadata']['name']} may {rule['verbs']} {rule['resources']}")
    return findings


def resources_set(objects: list[Object]) -> Findings:
    """Every container asks for what it needs and is stopped at a limit."""
    return [
        f"{item.where} has no {group} of {resource}"
        for item in containers(objects)
        for group in ("requests", "limits")
        for resource in ("cpu", "memory")
        if resource not in item.spec.get("resources", {}).get(group, {})
    ]


def inside_namespaces(objects: list[Object], names: set[str]) -> Findings:
    """Nothing is left behind when these namespaces go, and each of them enforces `restricted`."""
    findings = [
        f"{item['kind']}/{item['metadata']['name']} is in none of the namespaces {', '.join(sorted(names))}"
        for item in objects
        if item["kind"] not in CLUSTER_WIDE and item["metadata"].get("namespace") not in names
    ]
    labels = {item["metadata"]["name"]: item["metadata"].get("labels", {}) for item in of_kind(objects, "Namespace")}
    return findings + [
        f"the namespace {name} does not enforce restricted Pod Security"
        for name in sorted(names)
        if labels.get(name, {}).get("pod-security.kubernetes.io/enforce") != "restricted"
    ]


def secrets_generated(objects: list[Object]) -> Findings:
    """Every Secret has the hash that a generator appends, and no password stands in a manifest."""
    findings = [
        f"Secret/{item['metadata']['name']} is not from a generator"
        for item in of_kind(objects, "Secret")
        if not re.search(r"-[a-z0-9]{10}$", item["metadata"]["name"])
    ]
    for item in containers(objects):
        for variable in item.spec.get("env", []):
            if re.search(r"://[^:/]+:(?!\$\()[^@]+@|^(?!\$\().*secret", str(variable.get("value", ""))):
                findings.append(f"{item.where} has a password in the value of {variable['name']}")
    return findings


def default_deny(objects: list[Object]) -> Findings:
    """In each namespace nothing reaches a pod, and no pod reaches anything, unless another policy allows it."""
    denying = {
        item["metadata"]["namespace"]
        for item in of_kind(objects, "NetworkPolicy")
        if item["spec"]["podSelector"] == {}
        and set(item["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not item["spec"].get("ingress")
        and not item["spec"].get("egress")
    }
    names = [item["metadata"]["name"] for item in of_kind(objects, "Namespace")]
    return [f"no policy of {name} denies by default" for name in names if name not in denying]
