"""The common properties of all responses, tested in-process."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings


def client_of(**settings: object) -> httpx2.AsyncClient:
    app = create_app(Settings.model_validate({"database_url": "postgresql://a:b@127.0.0.1:9/c", **settings}))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://shop")


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(pod_name="shop-1") as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/metrics", 200),
        ("GET", "/no/such/route", 404),
        ("DELETE", "/products", 405),
        ("GET", "/products/0", 422),
        ("GET", "/products", 503),  # these tests have no database
        ("GET", "/health/ready", 503),
    ],
)
async def test_every_response_names_its_pod_and_every_error_is_a_problem(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)
    assert response.status_code == status, response.text
    assert response.headers["X-Served-By"] == "shop-1"
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == status
    assert ("Retry-After" in response.headers) == (status == 503)


async def test_a_405_lists_the_methods_of_the_resource(client: httpx2.AsyncClient) -> None:
    assert (await client.delete("/orders")).headers["Allow"] == "GET, POST"
    assert (await client.put("/orders/7")).headers["Allow"] == "GET"


async def test_liveness_does_not_depend_on_the_database(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_readiness_names_each_check_that_fails(client: httpx2.AsyncClient) -> None:
    checks = (await client.get("/health/ready")).json()["checks"]
    assert checks["draining"] == "ok"
    assert checks["database"].startswith("unreachable")


async def test_a_422_names_each_invalid_field_and_its_error(client: httpx2.AsyncClient) -> None:
    response = await client.post("/orders", json={"lines": []}, headers={"Idempotency-Key": "k"})
    assert {"where": ["body", "lines"], "what": "List should have at least 1 item after validation, not 0"} in (
        response.json()["errors"]
    )


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 129])
async def test_an_invalid_idempotency_key_is_rejected(client: httpx2.AsyncClient, key: str) -> None:
    body = {"lines": [{"product_id": 1, "quantity": 1}]}
    response = await client.post("/orders", json=body, headers=[(b"Idempotency-Key", key.encode())])
    assert response.status_code == 422


async def test_the_openapi_document_lists_the_problems_of_a_route(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    responses = document["paths"]["/orders"]["post"]["responses"]
    assert {"201", "400", "409", "422", "503"} == responses.keys()
    assert "application/problem+json" in responses["409"]["content"]


async def test_fault_switches_fail_requests_but_never_probes() -> None:
    async with client_of(faults_enabled=True) as client:
        await client.put("/faults", json={"error_ratio": 1, "unready": True})
        assert (await client.get("/products")).status_code == 500
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).json()["checks"]["faults"] == "switched off by /faults"
        await client.delete("/faults")
        assert (await client.get("/faults")).json() == {"latency_seconds": 0, "error_ratio": 0, "unready": False}


async def test_a_leak_keeps_its_memory_until_it_is_cleared() -> None:
    async with client_of(faults_enabled=True) as client:
        assert (await client.post("/faults/leak", json={"mebibytes": 2})).json() == {"mebibytes": 2}
        assert (await client.post("/faults/leak", json={"mebibytes": 1})).json() == {"mebibytes": 3}
        await client.delete("/faults")
        assert (await client.post("/faults/leak", json={"mebibytes": 1})).json() == {"mebibytes": 1}
