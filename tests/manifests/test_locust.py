"""Locust's master and workers reach each other and the service, and its web page is at the address in the Tiltfile."""

from typing import Any
from urllib.parse import urlsplit

from drydock.load import locust_manifests
from drydock.load.locust_run import STOP_MARGIN_SECONDS, TIMEOUT_SECONDS
from drydock.manifests.objects import Object, container, find, of_kind
from tests.manifests.rules import ports

PAGE = "http://localhost:8089"


def option(spec: Object, name: str) -> str:
    """The value of an option in a container's arguments."""
    return next(str(text).partition("=")[2] for text in spec["args"] if text.startswith(f"--{name}="))


def ways(policy: Object, direction: str) -> list[tuple[str, str]]:
    """The peers and ports that a policy allows. `anywhere` if it names no peer."""
    peers_key = "from" if direction == "ingress" else "to"
    return [
        (peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"] if peer else "anywhere", port["port"])
        for rule in policy["spec"][direction]
        for peer in rule.get(peers_key, [None])
        for port in rule["ports"]
    ]


def test_the_page_is_mapped_to_the_host_on_loopback(kind: Object, locust: list[Object]) -> None:
    service = find(locust, "Service", "locust")["spec"]["ports"][0]
    mappings = [mapping for node in kind["nodes"] for mapping in node.get("extraPortMappings", [])]
    found = [m for m in mappings if (m["hostPort"], m["containerPort"]) == (urlsplit(PAGE).port, service["nodePort"])]
    assert [m["listenAddress"] for m in found] == [ports.LOOPBACK]


def test_the_network_policies_allow_only_the_needed_connections(locust: list[Object]) -> None:
    master = find(locust, "NetworkPolicy", "locust-master")
    worker = find(locust, "NetworkPolicy", "locust-worker")
    assert ways(master, "ingress") == [("anywhere", "page"), ("locust-worker", "workers"), ("prometheus", "metrics")]
    assert ways(worker, "egress") == [("locust-master", "workers"), ("shop", "http")]
    declared = {port["name"] for port in container(locust, "Deployment", "locust-master")["ports"]}
    assert declared == {"page", "workers", "metrics"}


def test_locust_sends_to_the_kubernetes_service(locust: list[Object], instrument: dict[str, Any]) -> None:
    workload = instrument["workload"]
    for deployment in of_kind(locust, "Deployment"):
        spec = container(locust, "Deployment", deployment["metadata"]["name"])
        assert option(spec, "host") == f"http://{workload['service']}.{workload['namespace']}"


def test_the_timeouts_of_request_user_and_pod_increase(locust: list[Object]) -> None:
    spec = container(locust, "Deployment", "locust-master")
    assert float(option(spec, "stop-timeout")) >= TIMEOUT_SECONDS + STOP_MARGIN_SECONDS
    pod = find(locust, "Deployment", "locust-master")["spec"]["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > float(option(spec, "stop-timeout"))


def test_the_pods_of_a_run_and_of_the_page_have_different_labels(locust: list[Object]) -> None:
    jobs = locust_manifests.jobs(locust, "image", ["loadtest", "steady"], ["locust"], workers=2)
    run, page = find(jobs, "Service", locust_manifests.SERVICE), find(locust, "Service", "locust")
    assert run["spec"]["selector"][locust_manifests.INSTANCE] == "run"
    assert page["spec"]["selector"][locust_manifests.INSTANCE] == "page"
    assert [job["spec"]["parallelism"] for job in of_kind(jobs, "Job")] == [1, 2]
    assert not any("nodePort" in port for port in run["spec"]["ports"])


def test_prometheus_scrapes_where_the_master_listens(locust: list[Object]) -> None:
    assert ports.scraped_where_it_listens([find(locust, "Deployment", "locust-master")]) == []
