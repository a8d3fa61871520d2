import pytest
from rich.console import Console

from drydock import progress


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Console:
    console = Console(record=True, force_terminal=False, width=200)
    monkeypatch.setattr(progress, "console", console)
    return console


def test_a_step_ends_with_one_line(plain: Console) -> None:
    with progress.step("cluster") as step:
        step.detail = "3 nodes"

    [line] = plain.export_text().splitlines()
    assert line.split()[:4] == ["done", "cluster:", "3", "nodes"]
    assert line.endswith(" s")


def test_a_step_that_raises_is_called_failed(plain: Console) -> None:
    with pytest.raises(RuntimeError), progress.step("cluster"):
        raise RuntimeError

    assert plain.export_text().split()[0] == "failed"


def test_a_long_step_shows_signs_of_life_without_a_terminal(plain: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "FIRST_SIGN_SECONDS", 0.01)
    monkeypatch.setattr(progress, "SIGN_SECONDS", 0.01)

    with progress.step("cluster") as step:
        step.detail = "creating"
        while "creating" not in plain.export_text(clear=False):
            pass

    assert plain.export_text().count("creating") >= 2
