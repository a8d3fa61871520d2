"""A load run, end to end: its requests reach both pods, and its folder holds the records and the verdict."""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

from drydock.load.locust_manifests import SELECTOR
from drydock.requests.statistics import shares
from drydock.runs.folder import RunFolder
from tests.e2e import cluster
from tests.polling import poll_until

ROOT = cluster.PROJECT.root
LEFT = {
    "requests.csv.gz",
    "verdict.json",
    "junit.xml",
    "configuration.json",
    "locust.html",
    "locust_stats.csv",
    "locust_stats_history.csv",
}


def load(*arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `drydock load steady` for some seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    environment |= {"KUBECONFIG": str(kubeconfig)} if kubeconfig else {}
    command = [str(ROOT / ".venv" / "bin" / "drydock"), "load", "steady", "--seconds", "8", "--users", "20", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=400)


def left_behind() -> str:
    return cluster.kubectl("get", "jobs,services", "--namespace", "load", "--selector", SELECTOR, "--output", "name")


def test_a_run_is_accounted_for_and_leaves_its_folder(tmp_path: Path) -> None:
    objectives = tmp_path / "objectives.yaml"
    objectives.write_text("overall: {p95_ms: 2000, error_ratio: 0}\n")  # the latency of a busy machine is not the point
    done = load("--set", "mix=browse=7,order=3", "--objectives", str(objectives))
    assert done.returncode == 0, done.stdout + done.stderr
    run = RunFolder.all(cluster.PROJECT)[0]
    assert {path.name for path in run.folder.iterdir()} >= LEFT

    sent = run.records()
    assert len(sent) > 80
    assert not [record for record in sent if record.lost]
    verdict = run.read_json("verdict.json")
    assert (verdict["kind"], verdict["passed"], verdict["warnings"]) == ("load", True, [])
    assert verdict["figures"]["all count"] == len(sent)
    assert ElementTree.fromstring(run.path("junit.xml").read_text()).find("testsuite") is not None  # noqa: S314
    assert set(shares(sent)) == set(cluster.shop_pods())
    assert min(shares(sent).values()) > 0.2, "a Service spreads connections, and connections are many"
    assert left_behind() == ""

    keys = sorted({record.key for record in sent if record.key})
    placed = cluster.query("SELECT count(*) FROM orders WHERE idempotency_key = ANY(:'keys')", keys=as_array(keys))
    assert placed == [str(len(keys))], "each acknowledged order is in the database once"


def test_a_missed_objective_is_exit_code_1(tmp_path: Path) -> None:
    objectives = tmp_path / "objectives.yaml"
    objectives.write_text("overall: {p50_ms: 0.001}\n")
    done = load("--objectives", str(objectives))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "all p50" in done.stderr
    verdict = RunFolder.all(cluster.PROJECT)[0].read_json("verdict.json")
    assert [check["name"] for check in verdict["checks"] if not check["passed"]] == ["all p50"]


def test_a_worker_that_dies_fails_the_run() -> None:
    """Its requests since its last report have no record: what remains is not the load that was asked for."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(load, "--seconds", "20", "--workers", "2")
        poll_until(lambda: len(workers()) == 2, "two workers", 120)
        began = time.monotonic()
        poll_until(lambda: time.monotonic() - began > 8, "some seconds of load", 10)
        cluster.kubectl("delete", workers()[0], "--namespace", "load", "--grace-period=0", "--force")
        done = running.result()

    assert done.returncode == 1, done.stdout + done.stderr
    assert "every worker stays until the end" in done.stderr


def workers() -> list[str]:
    """The running workers of locust."""
    options = ("--namespace", "load", "--selector", f"{SELECTOR},app.kubernetes.io/name=locust-worker")
    running = ("--field-selector", "status.phase=Running", "--output", "name")
    return cluster.kubectl("get", "pods", *options, *running).split()


def test_another_context_is_refused(tmp_path: Path) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps({"current-context": "production", "contexts": [], "clusters": []}))
    done = load(kubeconfig=kubeconfig)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "'production'" in done.stderr
    assert left_behind() == ""


def as_array(keys: list[str]) -> str:
    """The keys in PostgreSQL's array syntax."""
    return "{" + ",".join(keys) + "}"


@pytest.fixture(autouse=True)
def nothing_else_runs() -> None:
    assert left_behind() == "", "a load run of somebody else is going on"
