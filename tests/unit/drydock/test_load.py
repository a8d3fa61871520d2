"""The verdict on a load run's records, and the errors of `drydock load`. Needs no cluster."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from drydock.cli import main
from drydock.cluster import guards
from drydock.core.errors import CannotRunError
from drydock.core.project import Project
from drydock.load import locust_manifests, objectives, scenarios
from drydock.load.locust_run import LoadSample, parse_message
from drydock.load.verdict import decide
from drydock.requests import records, statistics
from drydock.requests.compare import compare, difference
from drydock.requests.outcome import Outcome
from drydock.requests.records import COLUMNS, Record
from drydock.requests.statistics import ALL
from drydock.runs.folder import RunFolder
from drydock.runs.junit import junit
from drydock.runs.verdict import Result
from drydock.system import http
from loadtest import records as shipped

ROOT = Path(__file__).parents[3]
PROJECT = Project.find(ROOT)
ROUTE = "/products/{product_id}"


def record(due: float = 0, seconds: float = 0.01, outcome: Outcome = Outcome.OK, pod: str = "a") -> Record:
    status = 200 if outcome is Outcome.OK else 0
    return Record(1000 + due, 1000 + due, seconds, "GET", ROUTE, status, outcome, pod, "w", "")


def steady(count: int = 100, milliseconds: float = 10, every: float = 0.1) -> list[Record]:
    """Requests at regular intervals. Their durations cycle between 0.5 and 1.5 of the mean."""
    return [record(i * every, milliseconds / 1000 * (0.5 + i * 7 % 11 / 10)) for i in range(count)]


def sample(**more: Any) -> LoadSample:
    values: dict[str, Any] = {"time": 1.0, "over": True, "users": 1, "sent": 100, "failed": 0, "rate": 0, "p95_ms": 0}
    return LoadSample(**{**values, "outcomes": {}, "pods": {}, **more})


def write(path: Path, *members: bytes) -> Path:
    path.write_bytes(b"".join(members))
    return path


def test_records_of_workers_are_read_in_the_order_of_their_intended_times(tmp_path: Path) -> None:
    one = shipped.Recorder("worker-1", keep=True)
    two = shipped.Recorder("worker-2", keep=True)
    for recorder, due in [(one, 3.0), (two, 1.0), (one, 2.0)]:
        order = "POST", "/orders", 201, Outcome.OK, "pod", recorder.worker, "key, with a comma"
        recorder.keep(Record(due, due + 0.5, 0.75, *order))
    header = records.packed([records.COLUMNS])
    read = records.read(write(tmp_path / "r", header, one.take()[0], two.take()[0]))
    assert [item.intended for item in read] == [1, 2, 3]
    assert (read[0].worker, read[0].started, read[0].ended, read[0].key) == ("worker-2", 1.5, 1.75, "key, with a comma")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(b"a,b\n"), "its columns are a, b"),
        (gzip.compress(",".join(COLUMNS).encode() + b"\n1,1,1,GET\n"), "damaged after line 2"),
        (gzip.compress(",".join(COLUMNS).encode() + b"\n1,1,1,GET,/,200,fine,p,w,\n"), "'fine' is not a valid Outcome"),
        (gzip.compress(",".join(COLUMNS).encode() + b"\n" * 99)[:-9], "damaged"),
        (b"not gzip", "damaged"),
    ],
    ids=["other columns", "a short line", "an unknown outcome", "cut off", "no gzip"],
)
def test_the_error_of_a_damaged_file_names_the_line(content: bytes, reason: str, tmp_path: Path) -> None:
    write(tmp_path / records.FILE, content)
    with pytest.raises(CannotRunError, match=reason):
        RunFolder(tmp_path).records()


def test_a_file_without_the_judges_columns_is_read(tmp_path: Path) -> None:
    line = ("1.0", "1.0", "0.5", "GET", ROUTE, "200", "ok", "pod", "worker", "")
    [read] = records.read(write(tmp_path / "r", records.packed([records.REQUIRED, line])))
    assert (read.pod, read.lane, read.position) == ("pod", "", 0)


def test_a_file_of_a_judge_that_did_not_record_ports_is_read(tmp_path: Path) -> None:
    line = ("1.0", "1.0", "0.5", "GET", ROUTE, "200", "ok", "pod", "judge", "", "kept", "7", "3", "")
    [read] = records.read(write(tmp_path / "r", records.packed([COLUMNS[:-1], line])))
    assert (read.connection, read.position, read.port) == (7, 3, 0)


def test_percentiles_cover_complete_responses_and_rates_successful_ones() -> None:
    sent = [record(i / 10, seconds=(i + 1) / 1000) for i in range(100)]
    seen = statistics.Figures.of([*sent, record(0, 9, Outcome.TIMED_OUT)], seconds=10)
    assert (seen.p50, seen.p95, seen.p99) == (50, 95, 99)
    assert (seen.count, seen.lost, seen.rate) == (101, 1, 10)


def test_the_shares_are_those_of_answered_requests() -> None:
    sent = [*(record(pod="a") for _ in range(3)), record(pod="b"), record(pod="", outcome=Outcome.REFUSED)]
    assert statistics.shares(sent) == {"a": 0.75, "b": 0.25}


def asked(**limits: float) -> objectives.LoadObjectives:
    return objectives.LoadObjectives.model_validate({"overall": limits, "routes": {f"GET {ROUTE}": limits}})


@pytest.mark.parametrize(
    ("limits", "missed"),
    [
        ({"p50_ms": 11, "p95_ms": 20, "p99_ms": 20, "error_ratio": 0, "min_rate": 9}, []),
        ({"p50_ms": 9}, ["all p50", f"GET {ROUTE} p50"]),
        ({"min_rate": 11}, ["all rate", f"GET {ROUTE} rate"]),
    ],
)
def test_the_verdict_checks_every_objective(limits: dict[str, float], missed: list[str]) -> None:
    verdict = decide("steady", steady(), asked(**limits), [sample()])
    assert [check.name for check in verdict.failed] == missed
    assert verdict.passed is not bool(missed)
    assert len(verdict.checks) == 2 * len(limits) + 3, "and three of the load generator"


def test_one_lost_request_misses_an_error_ratio_of_zero() -> None:
    verdict = decide("steady", [*steady(), record(outcome=Outcome.RESET)], asked(error_ratio=0), [sample(sent=101)])
    assert verdict.failed[0].observed == "1 of 101"
    assert "1 of 101 requests lost (at most 4.7 % with 95 % confidence)" in verdict.summary


def test_a_run_without_requests_fails() -> None:
    assert not decide("steady", [], objectives.LoadObjectives(), [sample(sent=0)]).passed


@pytest.mark.parametrize(
    ("last", "text"),
    [
        (sample(cpu_percent=95), "CPU was at 95 %"),
        (sample(limits=("Too many open files",)), "exhausted a resource: Too many open files"),
    ],
)
def test_a_result_that_the_load_generator_limits_has_a_warning(last: LoadSample, text: str) -> None:
    (warning,) = decide("steady", steady(), objectives.LoadObjectives(), [last]).warnings
    assert text in warning


TWO, ONE_OF_TWO = sample(users=5, workers=2), sample(users=5, workers=1)


@pytest.mark.parametrize(
    ("samples", "failed"),
    [
        ([TWO, sample(workers=2)], []),
        ([TWO, ONE_OF_TWO, sample(workers=2)], ["every worker stays until the end"]),
        ([TWO, sample(users=0, workers=0)], []),
        ([TWO, sample(sent=120, workers=2)], ["every request has a record"]),
        ([TWO, sample(sent=99, workers=2)], ["every request has a record"]),
    ],
    ids=["both stay", "one dies", "both end after the load", "a record is missing", "a record too many"],
)
def test_a_load_that_is_not_the_one_asked_for_fails(samples: list[LoadSample], failed: list[str]) -> None:
    verdict = decide("steady", steady(), objectives.LoadObjectives(), samples, workers=2)

    assert [check.name for check in verdict.failed] == failed
    assert verdict.passed is not bool(failed)


def test_a_load_that_is_ended_early_is_inconclusive() -> None:
    verdict = decide("steady", steady(), objectives.LoadObjectives(), [sample()], interrupted=True)

    assert verdict.result is Result.UNKNOWN
    assert "inconclusive (the run is complete)" in verdict.summary


def test_junit_has_a_case_for_each_check_and_a_failure_for_each_missed_one() -> None:
    verdict = decide("steady", steady(), asked(p50_ms=9, p99_ms=50), [sample()])
    suite = ElementTree.fromstring(junit(verdict, 10)).find("testsuite")  # noqa: S314 - our own
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("7", "2")
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["all p50", f"GET {ROUTE} p50"]


def test_the_included_objectives_are_valid_and_a_scenario_overrides_them() -> None:
    read = objectives.read(ROOT / objectives.FILE)
    assert set(read.scenarios) <= {scenario.name for scenario in scenarios.all_scenarios(PROJECT)}
    assert read.of("spike").overall.p95_ms != read.of("steady").overall.p95_ms
    assert read.of("spike").overall.error_ratio == read.of("steady").overall.error_ratio == 0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("overall: {p96_ms: 3}", "overall.p96_ms"),
        ("overall: {p95_ms: fast}", "overall.p95_ms"),
        ("overall: {error_ratio: 5}", "overall.error_ratio"),
        ("routes: {/products: {p95_ms: 3}}", "routes./products"),
        ("scenarios: {spike: {overall: {min_rate: -1}}}", "scenarios.spike.overall.min_rate"),
        ("overall: [", "is not YAML"),
    ],
)
def test_the_error_of_an_invalid_objectives_file_names_the_key(text: str, key: str, tmp_path: Path) -> None:
    path = tmp_path / "objectives.yaml"
    path.write_text(text)
    with pytest.raises(CannotRunError) as refused:
        objectives.read(path)
    assert key in refused.value.reason


def refusal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The error of `drydock load` with these arguments. Asserts its exit code 2."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["drydock", "load", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["stady"], "Choose one of ramp, soak, spike, steady, step"),
        (["steady", "--set", "usres=3"], "has no parameter 'usres'"),
        (["steady", "--set", "users"], "is not name=value"),
        (["steady", "--users", "many"], "users is 'many', not a number"),
        (["steady", "--set", "mix=buy=3"], "'buy=3', which is not a user with a weight"),
        (["steady", "--set", "mix=order=0"], "'order=0', which is not a user with a weight"),
        (["steady", "--objectives", "/nowhere.yaml"], "there are no objectives at /nowhere.yaml"),
        (["steady", "--workers", "0"], "workers"),
    ],
)
def test_invalid_input_is_refused_before_anything_is_built(
    arguments: Sequence[str], error: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("drydock.load.jobs.publish_image", lambda _: pytest.fail("the image was built"))
    assert error in refusal(monkeypatch, capsys, *arguments)


def test_another_context_in_the_shell_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump({"current-context": "production"}))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    assert "'production', not 'kind-drydock'" in refusal(monkeypatch, capsys, "steady")


def test_a_service_that_is_not_ready_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "status", lambda _: 503)
    with pytest.raises(CannotRunError, match="is not ready at") as refused:
        guards.refuse_unready(PROJECT)
    assert refused.value.remedy == "Start it: drydock up"


def test_each_scenario_has_a_description_and_parameters() -> None:
    for scenario in scenarios.all_scenarios(PROJECT):
        assert scenario.text.endswith("."), scenario
        assert "mix" in [parameter.name for parameter in scenario.own], scenario
        assert {"pause", "timeout", "connection_requests"} <= {parameter.name for parameter in scenario.common}


def test_the_users_of_a_mix_are_the_files_of_users() -> None:
    assert scenarios.users(PROJECT) == ["browse", "order", "receipt", "slow_query"]


def test_a_difference_within_the_noise_is_not_significant() -> None:
    a = steady()
    again = [record(i * 0.1, 0.0102 * (0.5 + i * 7 % 11 / 10)) for i in range(100)]
    assert not any(item.significant for item in compare(a, again) if item.figure == "p50 ms")


def test_a_difference_beyond_the_noise_is_significant() -> None:
    found = {(item.route, item.figure) for item in compare(steady(), steady(milliseconds=30)) if item.significant}
    assert {(ALL, "p50 ms"), (ALL, "p95 ms")} <= found
    assert (ALL, "lost %") not in found


def test_the_noise_follows_from_the_spread_of_the_windows() -> None:
    narrow = difference("all", "p50 ms", [10, 11, 10, 11], [12, 13, 12, 13])
    wide = difference("all", "p50 ms", [1, 20, 2, 19], [3, 22, 4, 21])
    assert narrow.delta == wide.delta == 2
    assert narrow.significant
    assert not wide.significant


def test_a_run_is_found_by_the_beginning_or_end_of_its_name_and_as_last(tmp_path: Path) -> None:
    project = Project(tmp_path, PROJECT.configuration)
    for name in ("20260101T000000Z-steady", "20260102T000000Z-ramp"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    assert RunFolder.find(project, "last").name.endswith("ramp")
    assert RunFolder.find(project, "steady").name.startswith("20260101")
    assert RunFolder.find(project, "20260101").name.endswith("steady")
    with pytest.raises(CannotRunError, match="no run 'soak'"):
        RunFolder.find(project, "soak")


def test_runs_of_the_same_second_have_different_folders(tmp_path: Path) -> None:
    project = Project(tmp_path, PROJECT.configuration)
    assert len({RunFolder.create(project, "steady").name for _ in range(3)}) == 3


def test_only_the_masters_messages_are_parsed() -> None:
    assert parse_message('{"ended": 0}') == {"ended": 0}
    assert parse_message('{"users": 3, "sent": 1}') == {"users": 3, "sent": 1}
    for line in ["", "GET /products", '{"level": "info"}', "{broken"]:
        assert parse_message(line) is None


def test_the_jobs_of_a_run_have_the_pods_of_the_web_ui_without_its_arguments() -> None:
    env = [{"name": "POD_NAME", "value": "x"}]
    container = {"name": "c", "image": "i", "args": ["locust", "--locustfile=l", "--host=h", "--master"], "env": env}
    labels = {locust_manifests.INSTANCE: "page"}
    template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [container]}}
    metadata = {"name": "locust-master", "labels": dict(labels)}
    deployment = {"kind": "Deployment", "metadata": metadata, "spec": {"template": template}}

    (job,) = locust_manifests.jobs([deployment], "built", ["loadtest", "steady"], [], workers=3)
    locust_manifests.set_variables([job], {"LOAD_USERS": "5"})

    made = job["spec"]["template"]["spec"]["containers"][0]
    assert (made["image"], made["args"]) == ("built", ["loadtest", "steady", "--host=h"])
    assert {item["name"]: item["value"] for item in made["env"]}.keys() == {"POD_NAME", "LOAD_USERS", "LOAD_RECORDS"}
    assert job["spec"]["template"]["metadata"]["labels"][locust_manifests.INSTANCE] == "run"
    assert deployment["kind"] == "Deployment", "the manifests are not modified"
