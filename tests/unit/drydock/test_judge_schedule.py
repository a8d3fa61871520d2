"""Which request the judge sends when: by weight, at most so often, and only once what it needs is known."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from drydock.core.project import JudgeSettings
from drydock.judge.answers import Answers
from drydock.judge.exchange import Lane, RequestWriter
from drydock.judge.plan import Plan, Request
from drydock.judge.schedule import Schedule

READ = Request("GET", "/products", "/products", weight=3)
ORDER = Request("POST", "/orders", "/orders", body="{}", key=True)
RECEIPT = Request("PUT", "/orders/{order_id}/receipt", "/orders/{answer}/receipt", after="POST /orders", per_second=1)
PLAN = Plan("http://shop.shop", 40, 60, 10, 0, "id", READ, (READ, ORDER, RECEIPT), long_rate=0)


def scheduled(plan: Plan = PLAN, answer: bytes = b'{"id": 42}') -> tuple[Schedule, Answers]:
    answers = Answers(plan.requests)
    answers.note(ORDER, answer)
    return Schedule(plan, answers), answers


def sent(schedule: Schedule, count: int) -> Counter[tuple[str, Lane]]:
    picked = [schedule.pick(number) for number in range(count)]
    return Counter((request.method, lane) for request, lane in picked)


def test_weights_are_shares_and_each_kind_takes_the_lanes_in_turn() -> None:
    schedule, _ = scheduled(replace(PLAN, requests=(READ, ORDER)))

    fresh = {("GET", Lane.FRESH): 30, ("POST", Lane.FRESH): 10}
    assert sent(schedule, 80) == {**fresh, ("GET", Lane.KEPT): 30, ("POST", Lane.KEPT): 10}


@pytest.mark.parametrize(("rate", "seconds"), [(40, 10), (210, 10), (1000, 4)])
def test_what_is_sent_so_often_a_second_is_that_at_every_rate(rate: float, seconds: int) -> None:
    schedule, _ = scheduled(replace(PLAN, rate=rate))

    found = sent(schedule, int(rate * seconds))

    assert found["PUT", Lane.FRESH] + found["PUT", Lane.KEPT] == seconds
    assert found["PUT", Lane.FRESH] == found["PUT", Lane.KEPT]


def test_at_a_slow_rate_it_is_sent_once_in_a_round_of_the_others() -> None:
    schedule, _ = scheduled(replace(PLAN, rate=1))

    found = sent(schedule, 40)

    assert found["PUT", Lane.FRESH] + found["PUT", Lane.KEPT] == 10


@pytest.mark.parametrize("answer", [b"", b"no JSON", b'{"number": 7}', b"[]"])
def test_until_the_answer_it_needs_is_there_another_request_is_sent(answer: bytes) -> None:
    schedule, answers = scheduled(answer=answer)
    assert {method for method, _ in sent(schedule, 400)} == {"GET", "POST"}

    answers.note(ORDER, b'{"id": 43}')

    assert "PUT" in {method for method, _ in sent(schedule, 400)}


def test_a_share_of_the_mix_may_need_an_answer_too() -> None:
    schedule, answers = scheduled(replace(PLAN, requests=(READ, ORDER, replace(RECEIPT, per_second=None))), answer=b"")
    assert {method for method, _ in sent(schedule, 100)} == {"GET", "POST"}

    answers.note(ORDER, b'{"id": 43}')

    assert sent(schedule, 50)["PUT", Lane.FRESH] == 5


def test_it_is_sent_with_the_identifier_of_the_newest_answer() -> None:
    _, answers = scheduled()
    writer = RequestWriter("shop.shop", answers)

    assert writer.write(RECEIPT, Lane.FRESH, 0).head.startswith(b"PUT /orders/42/receipt HTTP/1.1\r\n")

    answers.note(ORDER, b'{"id": 43}')
    answers.note(READ, b'{"id": 99}')

    assert writer.write(RECEIPT, Lane.FRESH, 0).head.startswith(b"PUT /orders/43/receipt HTTP/1.1\r\n")


def test_long_requests_have_their_own_rate() -> None:
    schedule, _ = scheduled(replace(PLAN, long_rate=2))

    assert sent(schedule, 400)["POST", Lane.LONG] == 20


def configured(*requests: dict[str, Any]) -> JudgeSettings:
    prepare = {"method": "POST", "route": "/", "path": "/", "identifier": "id"}
    figures = {"timeout_seconds": 1, "subjects": 0, "kept_connections": 1, "long_rate": 0, "long_seconds": 1}
    described = [{"method": "GET", "route": "/", "path": "/", **request} for request in requests]
    return JudgeSettings.model_validate({**figures, "prepare": prepare, "requests": described})


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ([], "one at least must have a weight"),
        ([{"per_second": 1}], "one at least must have a weight"),
        ([{}, {"after": "POST /orders"}], "after = POST /orders is none of GET /"),
    ],
)
def test_requests_that_could_not_be_sent_are_refused(requests: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        configured(*requests)


def test_a_request_after_another_one_is_accepted() -> None:
    assert configured({}, {"route": "/next", "after": "GET /"}).requests[1].identifier == "id"
