"""Ports: one number from the host to the process, wherever it is written."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from drydock.manifests.objects import Findings, Object, container, find

LOOPBACK = "127.0.0.1"


def kind_reaches(kind: Object, objects: list[Object], service_name: str, deployment: str, url: str) -> Findings:
    """The port of `url` is mapped, on loopback, to the Service's nodePort, and that to a port of the container."""
    service = find(objects, "Service", service_name)["spec"]["ports"][0]
    mappings = [mapping for node in kind["nodes"] for mapping in node.get("extraPortMappings", [])]
    findings = [
        f"kind publishes {m['hostPort']} beyond this host" for m in mappings if m.get("listenAddress") != LOOPBACK
    ]
    if (urlsplit(url).port, service["nodePort"]) not in [(m["hostPort"], m["containerPort"]) for m in mappings]:
        findings.append(f"kind does not map {url} to nodePort {service['nodePort']}")
    names = [port["name"] for port in container(objects, "Deployment", deployment)["ports"]]
    if service["targetPort"] not in names:
        findings.append(f"the Service targets {service['targetPort']}, the container names {names}")
    return findings


def compose_publishes(compose: Object, objects: list[Object], urls: Mapping[str, str]) -> Findings:
    """Compose publishes each service's port `http` at its address in `urls`, and nothing else, on loopback only."""
    expected = {
        name: [f"{LOOPBACK}:{urlsplit(url).port}:{_http_port(container(objects, 'Deployment', name))}"]
        for name, url in urls.items()
    }
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    wrong = {name: ports for name, ports in published.items() if ports != expected.get(name, [])}
    return [f"compose publishes {ports} of {name}" for name, ports in wrong.items()]


def process_listens(command: list[str], objects: list[Object]) -> Findings:
    """The image's command, and that of the worker, listen where the manifests expect it."""
    findings = []
    for name, own in (("shop", command), ("receipts", container(objects, "Deployment", "receipts")["command"])):
        listens = int(own[own.index("--port") + 1])
        expected = container(objects, "Deployment", name)["ports"][0]["containerPort"]
        if listens != expected:
            findings.append(f"{name} listens on {listens}, the manifests expect {expected}")
    return findings


def scraped_where_it_listens(objects: list[Object]) -> Findings:
    """A pod that is annotated to be scraped names a port that one of its containers declares."""
    findings = []
    for item in objects:
        template = item.get("spec", {}).get("template", {})
        annotations = template.get("metadata", {}).get("annotations", {})
        if annotations.get("prometheus.io/scrape") == "true":
            declared = [str(port["containerPort"]) for spec in template["spec"]["containers"] for port in spec["ports"]]
            if annotations.get("prometheus.io/port") not in declared:
                name = f"{item['kind']}/{item['metadata']['name']}"
                findings.append(f"{name} is scraped on {annotations.get('prometheus.io/port')}, it declares {declared}")
    return findings


def text_names(text: str, urls: Iterable[str]) -> Findings:
    """A text that tells people where to look names each of these addresses."""
    return [f"{url} is not mentioned" for url in urls if not re.search(rf"{re.escape(url)}\b", text)]


def _http_port(spec: Object) -> int:
    return next(int(port["containerPort"]) for port in spec["ports"] if port["name"] == "http")
