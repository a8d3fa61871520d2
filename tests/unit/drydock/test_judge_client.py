"""The judge from outside: its log is read whole or not at all, and its plan comes from drydock.toml."""

import base64
import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from drydock.core.errors import CannotRunError, FailedError
from drydock.core.project import Project
from drydock.judge.answers import Answers
from drydock.judge.exchange import Exchange, Lane, RequestWriter
from drydock.judge.ledger import Ledger
from drydock.judge.plan import Plan, Request
from drydock.judge_client import log
from drydock.judge_client.job import refuse_long_log
from drydock.judge_client.progress_sample import ProgressSample
from drydock.judge_client.start_delay import StartDelay
from drydock.requests import records
from drydock.requests.outcome import Outcome
from drydock.runs.folder import RunFolder

ROOT = Path(__file__).parents[3]
CLOCK = 1_700_000_000.0
GET = Request("GET", "/products/{product_id}", "/products/{subject}")


def exchange(due: float, outcome: Outcome = Outcome.OK, **more: object) -> Exchange:
    made = Exchange(due, due + 0.001, Lane.KEPT, GET, b"", b"", "", due + 10, connection=3, position=7, status=200)
    made.outcome, made.pod = outcome, "pod-a"
    for name, value in more.items():
        setattr(made, name, value)
    return made


def a_log(count: int = 3) -> list[str]:
    """What a judge says of so many requests."""
    ledger = Ledger(CLOCK)
    for number in range(count):
        ledger.started(made := exchange(float(number), reason='he said "no", twice' if number == 1 else ""))
        ledger.ended(made, number + 0.25)
    lines: list[dict[str, object]] = [{"began": CLOCK}, {"sample": ledger.sample(count, 0)}]
    lines.append({"summary": ledger.summary(1, count)})
    lines += [{"records": base64.b64encode(chunk).decode()} for chunk in ledger.chunks()]
    lines.append({"ended": 0, "counted": ledger.counted})
    return [json.dumps(line) + "\n" for line in lines]


def test_what_the_ledger_writes_is_what_is_read(tmp_path: Path) -> None:
    log.collect("".join(a_log()), tmp_path)

    sent = records.read(tmp_path / records.FILE)
    assert [(it.intended, it.started, it.seconds) for it in sent[:1]] == [(CLOCK, CLOCK + 0.001, 0.25)]
    assert (sent[1].lane, sent[1].connection, sent[1].position) == ("kept", 3, 7)
    assert sent[1].reason == 'he said "no", twice'
    assert StartDelay.read(RunFolder(tmp_path)) == StartDelay(late=0, sent=3, p99_ms=1.0)


def test_ten_thousand_records_come_through_lines_that_a_container_runtime_leaves_whole(tmp_path: Path) -> None:
    lines = a_log(10_000)

    assert max(map(len, lines)) < 16 * 1024
    log.collect("".join(lines), tmp_path)
    assert len(records.read(tmp_path / records.FILE)) == 10_000


@pytest.mark.parametrize("cut", [-1, -2, 2])
def test_a_log_that_is_not_whole_is_refused(tmp_path: Path, cut: int) -> None:
    lines = a_log(10_000)
    broken = lines[:cut] if cut < 0 and cut != -2 else [*lines[:-2], lines[-1]] if cut == -2 else lines[:cut]

    with pytest.raises((FailedError, CannotRunError)):
        log.collect("".join(broken), tmp_path)


def test_a_log_with_fewer_records_than_were_sent_is_refused(tmp_path: Path) -> None:
    lines = [line.replace('"sent": 3', '"sent": 4') if '"summary"' in line else line for line in a_log()]
    assert lines != a_log()

    with pytest.raises(FailedError, match="sent 4 requests and counted 3; its log holds 3"):
        log.collect("".join(lines), tmp_path)


def test_following_says_each_second_and_ends_with_the_judge() -> None:
    samples: list[ProgressSample] = []

    assert log.follow(log.lines(a_log()), samples.append)
    assert [sample.sent for sample in samples] == [3]
    assert samples[0].lost == 0
    assert not log.follow(log.lines(a_log()[:-1]), samples.append), "a log that breaks off is not the end"


def test_a_judge_that_could_not_run_says_why() -> None:
    with pytest.raises(CannotRunError, match="the service is not there"):
        log.follow(log.lines(['{"ended": 2, "reason": "the service is not there"}\n']), lambda _: None)


def test_lines_for_people_and_broken_ones_are_passed_over() -> None:
    assert list(log.lines(["hello\n", "{broken\n", '{"a": 1}\n'])) == [{"a": 1}]


def test_the_plan_is_that_of_the_configuration_and_survives_its_way() -> None:
    judge = Project.find(ROOT).configuration.judge

    plan = Plan.of(judge, "http://shop.shop", 210, 300)

    assert Plan.parse(plan.as_json()) == plan
    assert (plan.rate, plan.subjects, plan.timeout) == (210, judge.subjects, judge.timeout_seconds)
    assert [request.path for request in plan.requests] == [request.path for request in judge.requests]


def test_a_request_names_its_subject_and_retires_its_connection_unless_it_is_kept() -> None:
    writer = RequestWriter("shop.shop", Answers([]))
    writer.subjects = ["41", "42"]

    head, body, key, _ = writer.write(GET, Lane.FRESH, 3)

    assert head.startswith(b"GET /products/42 HTTP/1.1\r\nHost: shop.shop\r\n")
    assert b"Connection: close\r\n" in head
    assert (body, key) == (b"", "")
    assert b"Connection" not in writer.write(GET, Lane.KEPT, 3).head


def test_a_request_without_a_body_says_so_where_one_is_expected() -> None:
    writer = RequestWriter("shop.shop", Answers([]))

    assert b"\r\nContent-Length: 0\r\n" in writer.write(Request("PUT", "/", "/"), Lane.FRESH, 0).head
    assert b"Content-Length" not in writer.write(Request("GET", "/", "/"), Lane.FRESH, 0).head


def test_a_request_that_is_started_late_is_counted() -> None:
    ledger = Ledger(CLOCK)
    for error in (0.001, 0.019, 0.021):
        ledger.started(exchange(0.0, started=error))

    summary = ledger.summary(1, 1)

    assert (summary["late"], summary["start_error_max_ms"]) == (1, 21.0)


@pytest.mark.parametrize(("seconds", "refused"), [(1248, False), (1249, True)])
def test_a_run_whose_records_do_not_fit_into_a_log_is_refused_beforehand(seconds: float, refused: bool) -> None:
    plan = Plan.of(Project.find(ROOT).configuration.judge, "http://shop.shop", 210, seconds)

    with pytest.raises(CannotRunError, match="262,144") if refused else nullcontext():
        refuse_long_log(plan)
