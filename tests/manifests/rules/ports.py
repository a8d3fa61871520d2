"""Ports: one number from the host to the process, wherever it is written."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.manifests.rules.objects import Findings, Object, container, find

LOOPBACK = "127.0.0.1"


def kind_reaches_the_service(kind: Object, objects: list[Object], url: str) -> Findings:
    """The port of `url` is mapped, on loopback, to the Service's nodePort, and that to the container's port `http`."""
    service = find(objects, "Service", "shop")["spec"]["ports"][0]
    mappings = [mapping for node in kind["nodes"] for mapping in node.get("extraPortMappings", [])]
    findings = [
        f"kind publishes {m['hostPort']} beyond this host" for m in mappings if m.get("listenAddress") != LOOPBACK
    ]
    if (urlsplit(url).port, service["nodePort"]) not in [(m["hostPort"], m["containerPort"]) for m in mappings]:
        findings.append(f"kind does not map {url} to nodePort {service['nodePort']}")
    names = [port["name"] for port in container(objects, "Deployment", "shop")["ports"]]
    if service["targetPort"] not in names:
        findings.append(f"the Service targets {service['targetPort']}, the container names {names}")
    return findings


def compose_publishes(compose: Object, objects: list[Object], url: str) -> Findings:
    """Compose publishes the container's port at `url`, and nothing else, on loopback only."""
    target = container(objects, "Deployment", "shop")["ports"][0]["containerPort"]
    expected = f"{LOOPBACK}:{urlsplit(url).port}:{target}"
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    wrong = {name: ports for name, ports in published.items() if ports != ([expected] if name == "shop" else [])}
    return [f"compose publishes {ports} of {name}" for name, ports in wrong.items()]


def process_listens(command: list[str], objects: list[Object]) -> Findings:
    """The image's command listens where the manifests expect it."""
    listens = int(command[command.index("--port") + 1])
    expected = container(objects, "Deployment", "shop")["ports"][0]["containerPort"]
    return [] if listens == expected else [f"uvicorn listens on {listens}, the manifests expect {expected}"]


def text_names(text: str, urls: Iterable[str]) -> Findings:
    """A text that tells people where to look names each of these addresses."""
    return [f"{url} is not mentioned" for url in urls if not re.search(rf"{re.escape(url)}\b", text)]
