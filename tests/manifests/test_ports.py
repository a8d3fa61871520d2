"""All files agree on the ports from the host to the process."""

from typing import Any

import pytest

from drydock.check.subject import image_command
from drydock.manifests.objects import Object, find
from tests.manifests.rules import ports


def test_kind_maps_the_host_port_to_the_service(kind: Object, parity: list[Object], instrument: dict[str, Any]) -> None:
    assert ports.kind_reaches(kind, parity, "shop", "shop", instrument["platforms"]["kind"]) == []


@pytest.mark.parametrize(
    ("service", "page"), [("grafana", "grafana"), ("prometheus", "prometheus"), ("jaeger-page", "jaeger")]
)
def test_kind_maps_the_pages_of_the_telemetry_stack(
    service: str, page: str, kind: Object, parity: list[Object], instrument: dict[str, Any]
) -> None:
    assert ports.kind_reaches(kind, parity, service, page, instrument["telemetry"]["kind"][page]) == []


def test_compose_publishes_the_service_and_the_pages_alone(
    compose: Object, parity: list[Object], instrument: dict[str, Any]
) -> None:
    urls = {"shop": instrument["platforms"]["compose"], **instrument["telemetry"]["compose"]}
    assert ports.compose_publishes(compose, parity, urls) == []


@pytest.mark.parametrize("overlay", ["dev", "parity", "judge"])
def test_a_scraped_pod_listens_where_it_is_scraped(overlay: str, request: pytest.FixtureRequest) -> None:
    assert ports.scraped_where_it_listens(request.getfixturevalue(overlay)) == []


def test_the_process_listens_where_it_is_expected(dockerfile: str, parity: list[Object]) -> None:
    assert ports.process_listens(image_command(dockerfile), parity) == []


def test_the_readme_names_every_address(readme: str, instrument: dict[str, Any]) -> None:
    pages = instrument["telemetry"]
    urls = [*instrument["platforms"].values(), *pages["kind"].values(), *pages["compose"].values()]
    assert ports.text_names(readme, urls) == []


def test_a_port_open_to_the_network_is_found(kind: Object, parity: list[Object]) -> None:
    kind["nodes"][0]["extraPortMappings"][0]["listenAddress"] = "0.0.0.0"  # noqa: S104 - the test must find it
    assert ports.kind_reaches(kind, parity, "shop", "shop", "http://localhost:8080") == [
        "kind publishes 8080 beyond this host"
    ]


def test_another_node_port_is_found(kind: Object, parity: list[Object]) -> None:
    find(parity, "Service", "shop")["spec"]["ports"][0]["nodePort"] = 30081
    assert len(ports.kind_reaches(kind, parity, "shop", "shop", "http://localhost:8080")) == 1


def test_a_published_database_is_found(compose: Object, parity: list[Object]) -> None:
    compose["services"] = {"postgres": {"ports": ["5432:5432"]}}
    assert ports.compose_publishes(compose, parity, {}) == ["compose publishes ['5432:5432'] of postgres"]


def test_a_scraped_port_without_a_listener_is_found(parity: list[Object]) -> None:
    template = find(parity, "Deployment", "shop")["spec"]["template"]
    template["metadata"]["annotations"]["prometheus.io/port"] = "9000"
    assert ports.scraped_where_it_listens(parity) == ["Deployment/shop is scraped on 9000, it declares ['8000']"]


def test_a_process_on_another_port_is_found(parity: list[Object]) -> None:
    assert len(ports.process_listens(["uvicorn", "app.main:app", "--port", "9000"], parity)) == 1


def test_a_readme_with_another_port_is_found() -> None:
    assert ports.text_names("open http://localhost:80801", ["http://localhost:8080"]) == [
        "http://localhost:8080 is not mentioned"
    ]
