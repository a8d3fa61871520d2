"""The registry of readiness checks."""

import asyncio
import logging
import time

import pytest

from app.readiness import Readiness


async def passes() -> str | None:
    return None


async def hangs() -> str | None:
    await asyncio.sleep(60)
    return None


async def fails() -> str | None:
    return "no"


async def test_the_report_contains_every_check_by_name() -> None:
    readiness = Readiness(seconds=1)
    readiness.add("first", passes)
    readiness.add("second", fails)
    assert await readiness.report() == {"first": "ok", "second": "no"}


async def test_a_hanging_check_times_out_without_delaying_the_others() -> None:
    readiness = Readiness(seconds=0.1)
    readiness.add("stuck", hangs)
    readiness.add("stuck too", hangs)
    readiness.add("fine", passes)
    began = time.monotonic()
    report = await readiness.report()
    assert report == {"stuck": "no answer within 0.1 s", "stuck too": "no answer within 0.1 s", "fine": "ok"}
    assert time.monotonic() - began < 5


async def test_only_changes_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    answer: list[str | None] = [None]

    async def check() -> str | None:
        return answer[0]

    readiness = Readiness(seconds=1)
    readiness.add("one", check)
    for answer[0] in (None, None, "gone", "gone", None):
        await readiness.report()
    assert [record.message for record in caplog.records] == ["ready", "unready", "ready"]
