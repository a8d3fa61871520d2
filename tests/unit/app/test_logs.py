"""Logs are one JSON object per line, with the agreed fields."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from app.observability.logs import configure_logging, user_id


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    """The stdout of the service."""
    handlers = list(logging.root.handlers)
    with contextlib.redirect_stdout(io.StringIO()) as stdout:
        configure_logging("info", {"service.name": "shop", "k8s.node.name": "worker"})
    yield stdout
    logging.root.handlers = handlers


def only_line(output: io.StringIO) -> dict[str, Any]:
    lines = output.getvalue().splitlines()
    assert len(lines) == 1, lines
    line: dict[str, Any] = json.loads(lines[0])
    return line


def test_a_line_carries_the_agreed_fields(output: io.StringIO) -> None:
    token = user_id.set("ann")
    logging.getLogger("app.test").info("draining", extra={"in_flight": 3})
    user_id.reset(token)
    line = only_line(output)
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "level": "INFO",
        "logger": "app.test",
        "message": "draining",
        "in_flight": 3,
        "user_id": "ann",
        "service.name": "shop",
        "k8s.node.name": "worker",
    }


def test_a_line_without_a_trace_or_a_user_has_no_empty_fields(output: io.StringIO) -> None:
    logging.getLogger("app.test").info("startup")
    assert not {"trace_id", "span_id", "user_id"} & only_line(output).keys()


def test_a_newline_from_a_client_does_not_start_a_new_log_line(output: io.StringIO) -> None:
    logging.getLogger("app.test").info("request", extra={"path": '/x\n{"level": "ERROR"}'})
    assert only_line(output)["path"] == '/x\n{"level": "ERROR"}'


def test_uvicorns_access_log_is_disabled(output: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET / 200")
    assert output.getvalue() == ""
