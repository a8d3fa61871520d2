"""`docker compose up --wait` runs the same service, migration and Postgres without Kubernetes."""

import json

import httpx2

from tests.compose.project import URL, compose
from tests.lifecycle import SHUTDOWN


def test_an_order_sent_twice_is_placed_once() -> None:
    order = {"lines": [{"product_id": 1, "quantity": 2}]}
    answers = [httpx2.post(f"{URL}/orders", json=order, headers={"Idempotency-Key": "compose"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert [placed["id"] for placed in httpx2.get(f"{URL}/orders").json()["items"]] == [answers[0].json()["id"]]


def test_compose_stop_runs_the_whole_shutdown() -> None:
    compose("stop", "shop")
    lines = [json.loads(line) for line in compose("logs", "--no-log-prefix", "shop").splitlines()]
    events = [line["message"] for line in lines if line["logger"] == "app.lifecycle" and line["message"] in SHUTDOWN]
    assert events == SHUTDOWN
    assert json.loads(compose("ps", "--all", "--format", "json", "shop"))["ExitCode"] == 0
    compose("up", "--wait", "shop")
