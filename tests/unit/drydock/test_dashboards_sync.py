"""`drydock dashboards` between the files and a Grafana: nothing is lost on the way, and nothing is made up."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from drydock.cli import main
from drydock.dashboards.document import FOLDER, files, read, text
from drydock.dashboards.lint import KUSTOMIZATION
from drydock.dashboards.scaffold import scaffold
from tests.unit.drydock.grafana_double import GrafanaDouble, serving

ROOT = Path(__file__).parents[3]
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def grafana() -> Iterator[GrafanaDouble]:
    """A Grafana with our dashboards in the folder Drydock, as provisioning puts them there."""
    with serving() as double:
        for path in files(ROOT).values():
            double.keep(read(path), "drydock-folder")
        double.saves = 0
        yield double


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grafana: GrafanaDouble) -> Path:
    """A copy of this checkout's dashboards, whose kind platform has that Grafana; the working directory."""
    configuration = (ROOT / "drydock.toml").read_text()
    ours = configuration.replace("http://localhost:3000", grafana.url).replace("http://localhost:3001", NOBODY)
    (tmp_path / "drydock.toml").write_text(ours)
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER)
    shutil.copy(ROOT / KUSTOMIZATION, tmp_path / KUSTOMIZATION)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of `drydock dashboards` with these arguments."""
    monkeypatch.setattr("sys.argv", ["drydock", "dashboards", *arguments])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def contents(checkout: Path) -> dict[str, str]:
    """What the files say, by uid."""
    return {uid: path.read_text() for uid, path in files(checkout).items()}


def test_a_panel_tuned_in_grafana_comes_back_as_the_lines_that_changed_and_goes_there_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    before = contents(checkout)
    tuned = grafana.panel("saturation", 1)
    tuned["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] = 0.25
    grafana.keep(grafana.dashboards["saturation"], "drydock-folder")

    assert run(monkeypatch, "diff") == 1
    assert '-                "value": 0.1' in capsys.readouterr().out

    assert run(monkeypatch, "pull") == 0
    assert "saturation: 1 lines added, 1 removed; panels: Event-loop lag" in capsys.readouterr().err
    after = contents(checkout)
    assert after == before | {"saturation": before["saturation"].replace('"value": 0.1\n', '"value": 0.25\n', 1)}

    assert run(monkeypatch, "pull") == 0
    assert "Nothing to pull." in capsys.readouterr().err
    assert contents(checkout) == after
    assert run(monkeypatch, "diff") == 0
    assert run(monkeypatch, "lint") == 0


def test_pull_writes_nothing_where_grafana_has_only_saved(
    monkeypatch: pytest.MonkeyPatch, checkout: Path, grafana: GrafanaDouble
) -> None:
    for uid in list(grafana.dashboards):
        grafana.keep(grafana.dashboards[uid], "drydock-folder")
    times = {path: path.stat().st_mtime_ns for path in files(checkout).values()}

    assert run(monkeypatch, "pull") == 0
    assert {path: path.stat().st_mtime_ns for path in files(checkout).values()} == times


def test_push_saves_what_differs_in_its_folder_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    path = files(checkout)["service"]
    path.write_text(path.read_text().replace('"refresh": "5s"', '"refresh": "30s"'))

    assert run(monkeypatch, "push") == 0
    assert "Pushed: service." in capsys.readouterr().err
    assert grafana.dashboards["service"]["refresh"] == "30s"
    assert grafana.folders["service"] == "drydock-folder"
    assert grafana.saves == 1

    assert run(monkeypatch, "push") == 0
    assert "Grafana and the files are equal." in capsys.readouterr().err
    assert grafana.saves == 1
    assert run(monkeypatch, "pull") == 0
    assert "Nothing to pull." in capsys.readouterr().err


def test_push_says_when_grafana_keeps_something_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    grafana.forgetful = {"description"}
    path = files(checkout)["service"]
    path.write_text(path.read_text().replace('"refresh": "5s"', '"refresh": "30s"'))

    assert run(monkeypatch, "push") == 1
    shown = capsys.readouterr().err
    assert "Grafana keeps service otherwise" in shown
    assert '-      "description": "The share of' in shown


def test_a_dashboard_made_in_grafana_with_our_tag_gets_a_file_and_the_user_hears_where_to_register_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    grafana.keep(scaffold("orders"))
    grafana.keep({**scaffold("private"), "tags": ["mine"]})

    assert run(monkeypatch, "pull") == 0
    assert set(files(checkout)) == {*files(ROOT), "orders"}
    assert files(checkout)["orders"].read_text() == text(scaffold("orders"))
    assert f"add `- dashboards/orders.json` under `files` in {KUSTOMIZATION}" in capsys.readouterr().err


def test_a_uid_that_would_leave_the_folder_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, checkout: Path, grafana: GrafanaDouble
) -> None:
    grafana.keep({**scaffold("orders"), "uid": "../../orders"})

    assert run(monkeypatch, "pull") == 0
    assert set(files(checkout)) == set(files(ROOT))


def test_a_new_dashboard_passes_the_linter_and_goes_into_the_folder_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    assert run(monkeypatch, "new", "order-book") == 0
    assert f"add `- dashboards/order-book.json` under `files` in {KUSTOMIZATION}" in capsys.readouterr().err
    kustomization = checkout / KUSTOMIZATION
    kustomization.write_text(kustomization.read_text() + "  - dashboards/order-book.json\n")

    assert run(monkeypatch, "lint") == 0
    assert run(monkeypatch, "diff") == 1
    assert capsys.readouterr().out == "order-book: not in Grafana; `drydock dashboards push` puts it there\n"
    assert run(monkeypatch, "push") == 0
    assert grafana.folders["order-book"] == "drydock-folder"
    assert run(monkeypatch, "diff") == 0


@pytest.mark.parametrize("name", ["Order Book", "../orders", "", "9", "o" * 41])
def test_a_name_that_is_no_uid_is_refused(monkeypatch: pytest.MonkeyPatch, checkout: Path, name: str) -> None:
    assert run(monkeypatch, "new", name) == 1
    assert set(files(checkout)) == set(files(ROOT))


def test_new_never_writes_over_a_dashboard(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    before = contents(checkout)

    assert run(monkeypatch, "new", "service") == 1
    assert contents(checkout) == before


def test_what_grafana_lacks_stays_in_its_file_until_it_is_pushed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    before = contents(checkout)
    del grafana.dashboards["postgres"]

    assert run(monkeypatch, "pull") == 0
    assert "postgres: not in Grafana" in capsys.readouterr().err
    assert contents(checkout) == before
    assert run(monkeypatch, "push") == 0
    assert grafana.folders["postgres"] == "drydock-folder"


@pytest.mark.parametrize("command", ["pull", "push", "diff"])
def test_without_grafana_the_remedy_is_to_start_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, command: str
) -> None:
    before = contents(checkout)

    assert run(monkeypatch, command, "--platform", "compose") == 2
    assert "drydock up" in capsys.readouterr().err
    assert contents(checkout) == before


def test_what_grafana_refuses_is_said_in_its_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    path = files(checkout)["service"]
    untitled: dict[str, Any] = {key: value for key, value in read(path).items() if key != "title"}
    path.write_text(text(untitled))

    assert run(monkeypatch, "push") == 1
    assert "400" in (shown := capsys.readouterr().err)
    assert "Dashboard title cannot be empty" in shown


def test_a_file_that_is_no_json_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    files(checkout)["service"].write_text("{,}")

    assert run(monkeypatch, "lint") == 2
    assert "service.json is not JSON" in capsys.readouterr().err


def test_lint_needs_nothing_that_runs_and_reports_what_each_dashboard_has(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    assert run(monkeypatch, "lint", "--report") == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["dashboard", "panels"]
    assert {line.split()[0] for line in lines} == {*files(ROOT), "all"}


def test_lint_fails_on_a_finding_and_says_file_panel_rule_and_remedy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    path = files(checkout)["service"]
    dashboard = read(path)
    del dashboard["panels"][0]["fieldConfig"]["defaults"]["unit"]
    path.write_text(text(dashboard))

    assert run(monkeypatch, "lint") == 1
    shown = capsys.readouterr().out
    assert f"{FOLDER}/service.json  Error budget left  unit: has no unit" in shown
    assert "remedy" in shown


def test_lint_puts_a_raw_export_into_the_normal_form(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    path = files(checkout)["service"]
    before = path.read_text()
    path.write_text(json.dumps({"id": 12, "version": 3, **json.loads(before)}))

    assert run(monkeypatch, "lint") == 1
    assert run(monkeypatch, "lint", "--fix") == 0
    assert path.read_text() == before


@pytest.mark.parametrize("command", ["pull", "push", "diff", "lint", "new"])
def test_every_command_explains_itself(command: str) -> None:
    shown = CliRunner().invoke(main.app, ["dashboards", command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 20
