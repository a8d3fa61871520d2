import pytest
from rich.console import Console

from drydock.core import console


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Console:
    plain = Console(record=True, force_terminal=False, width=200)
    monkeypatch.setattr(console, "console", plain)
    return plain


def test_a_step_ends_with_one_line(plain: Console) -> None:
    with console.step("cluster") as step:
        step.detail = "3 nodes"

    [line] = plain.export_text().splitlines()
    assert line.split()[:4] == ["done", "cluster:", "3", "nodes"]
    assert line.endswith(" s")


def test_a_step_that_raises_ends_as_failed(plain: Console) -> None:
    with pytest.raises(RuntimeError), console.step("cluster"):
        raise RuntimeError

    assert plain.export_text().split()[0] == "failed"


def test_a_long_step_prints_progress_lines_without_a_terminal(plain: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "FIRST_LINE_SECONDS", 0.01)
    monkeypatch.setattr(console, "LINE_INTERVAL_SECONDS", 0.01)

    with console.step("cluster") as step:
        step.detail = "creating"
        while "creating" not in plain.export_text(clear=False):
            pass

    assert plain.export_text().count("creating") >= 2
