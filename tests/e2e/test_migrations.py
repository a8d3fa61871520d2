"""A Job applies the migrations once, and pods are unready until then."""

import collections

from app.schema import head
from tests.e2e import cluster
from tests.e2e.experiments import aim_at, deployed_pod_spec, lifecycle, migration_job, pod
from tests.polling import poll_until

JOBS = ["e2e-migrate-1", "e2e-migrate-2", "e2e-migrate-3"]
EARLY = "e2e-early"


def test_the_migration_has_completed() -> None:
    conditions = cluster.get("job", "migrate")["status"]["conditions"]
    assert [item["type"] for item in conditions if item["status"] == "True"][-1] == "Complete"
    assert cluster.query("SELECT version_num FROM alembic_version") == [head()]


def test_three_migrations_at_once_apply_each_revision_once(empty_database: str) -> None:
    try:
        for name in JOBS:
            cluster.create(migration_job(name, empty_database))
        for name in JOBS:
            cluster.kubectl("wait", "--for=condition=Complete", f"job/{name}", "--timeout=90s")
        applied = collections.Counter(revision for name in JOBS for revision in _applied_by(name))
    finally:
        for name in JOBS:
            cluster.delete("job", name)

    revisions = [f"{number:04}" for number in range(1, int(head()) + 1)]
    assert applied == dict.fromkeys(revisions, 1)
    assert cluster.query("SELECT version_num FROM alembic_version", empty_database) == [head()]


def test_a_pod_that_is_early_waits_for_its_schema_without_a_restart(empty_database: str) -> None:
    spec = deployed_pod_spec("deployment", cluster.WORKLOAD.deployment)
    aim_at(spec, empty_database)
    # With the migration's label the pod can reach Postgres but gets no requests from the Service.
    cluster.create(pod(EARLY, spec, {"app.kubernetes.io/name": "migrate"}))
    try:
        poll_until(lambda: "unready" in _events_of(EARLY), "the early pod to find no schema", seconds=60)
        early = cluster.get("pod", EARLY)
        assert early["status"]["containerStatuses"][0]["started"], "the startup probe needs no schema"
        assert not cluster.ready(early)

        cluster.create(migration_job(JOBS[0], empty_database))
        poll_until(lambda: cluster.ready(cluster.get("pod", EARLY)), "the early pod to become ready", seconds=60)
        assert cluster.restarts(cluster.get("pod", EARLY)) == 0
        assert _events_of(EARLY)[-2:] == ["unready", "ready"]
    finally:
        cluster.delete("job", JOBS[0])
        cluster.delete("pod", EARLY)


def _applied_by(job: str) -> list[str]:
    log = cluster.kubectl("logs", f"job/{job}")
    return [line["revision"] for line in lifecycle(log, "app.migrations") if line["message"] == "revision_applied"]


def _events_of(name: str) -> list[str]:
    try:
        return [event["message"] for event in lifecycle(cluster.kubectl("logs", name))]
    except cluster.KubectlError:
        return []  # the container has not started yet
