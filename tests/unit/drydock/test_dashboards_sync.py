"""`drydock dashboards` synchronises the files and Grafana without losing or adding anything."""

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
    """A Grafana with the dashboards of this repository in the folder Drydock, as provisioning does it."""
    with serving() as double:
        for path in files(ROOT).values():
            double.keep(read(path), "drydock-folder")
        double.saves = 0
        yield double


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grafana: GrafanaDouble) -> Path:
    """A checkout with these dashboards and the double as its Grafana on kind. It is the working directory."""
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
    """The text of the files by uid."""
    return {uid: path.read_text() for uid, path in files(checkout).items()}


def test_pull_changes_only_the_lines_of_a_panel_that_was_tuned_in_grafana(
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


def test_pull_writes_nothing_after_a_save_without_changes(
    monkeypatch: pytest.MonkeyPatch, checkout: Path, grafana: GrafanaDouble
) -> None:
    for uid in list(grafana.dashboards):
        grafana.keep(grafana.dashboards[uid], "drydock-folder")
    times = {path: path.stat().st_mtime_ns for path in files(checkout).values()}

    assert run(monkeypatch, "pull") == 0
    assert {path: path.stat().st_mtime_ns for path in files(checkout).values()} == times


def test_push_saves_only_the_files_that_differ_in_the_folder_of_the_others(
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


def test_push_fails_if_grafana_stores_something_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    grafana.forgetful = {"description"}
    path = files(checkout)["service"]
    path.write_text(path.read_text().replace('"refresh": "5s"', '"refresh": "30s"'))

    assert run(monkeypatch, "push") == 1
    shown = capsys.readouterr().err
    assert "Grafana stored service with differences" in shown
    assert '-      "description": "The share of' in shown


def test_a_new_dashboard_with_the_tag_gets_a_file_and_a_notice_about_the_kustomization(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    grafana.keep(scaffold("orders"))
    grafana.keep({**scaffold("private"), "tags": ["mine"]})

    assert run(monkeypatch, "pull") == 0
    assert set(files(checkout)) == {*files(ROOT), "orders"}
    assert files(checkout)["orders"].read_text() == text(scaffold("orders"))
    assert f"Add `- dashboards/orders.json` under `files` in {KUSTOMIZATION}" in capsys.readouterr().err


def test_a_uid_with_a_path_is_ignored(monkeypatch: pytest.MonkeyPatch, checkout: Path, grafana: GrafanaDouble) -> None:
    grafana.keep({**scaffold("orders"), "uid": "../../orders"})

    assert run(monkeypatch, "pull") == 0
    assert set(files(checkout)) == set(files(ROOT))


def test_a_created_dashboard_passes_the_linter_and_is_saved_in_the_folder_of_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path, grafana: GrafanaDouble
) -> None:
    assert run(monkeypatch, "new", "order-book") == 0
    assert f"Add `- dashboards/order-book.json` under `files` in {KUSTOMIZATION}" in capsys.readouterr().err
    kustomization = checkout / KUSTOMIZATION
    kustomization.write_text(kustomization.read_text() + "  - dashboards/order-book.json\n")

    assert run(monkeypatch, "lint") == 0
    assert run(monkeypatch, "diff") == 1
    assert capsys.readouterr().out == "order-book: not in Grafana; `drydock dashboards push` adds it\n"
    assert run(monkeypatch, "push") == 0
    assert grafana.folders["order-book"] == "drydock-folder"
    assert run(monkeypatch, "diff") == 0


@pytest.mark.parametrize("name", ["Order Book", "../orders", "", "9", "o" * 41])
def test_a_name_that_is_not_a_uid_is_refused(monkeypatch: pytest.MonkeyPatch, checkout: Path, name: str) -> None:
    assert run(monkeypatch, "new", name) == 1
    assert set(files(checkout)) == set(files(ROOT))


def test_new_does_not_overwrite_a_dashboard(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    before = contents(checkout)

    assert run(monkeypatch, "new", "service") == 1
    assert contents(checkout) == before


def test_pull_keeps_the_file_of_a_dashboard_that_grafana_lacks(
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


def test_the_error_has_grafanas_own_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    path = files(checkout)["service"]
    untitled: dict[str, Any] = {key: value for key, value in read(path).items() if key != "title"}
    path.write_text(text(untitled))

    assert run(monkeypatch, "push") == 1
    assert "400" in (shown := capsys.readouterr().err)
    assert "Dashboard title cannot be empty" in shown


def test_the_error_names_a_file_that_is_not_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    files(checkout)["service"].write_text("{,}")

    assert run(monkeypatch, "lint") == 2
    assert "service.json is not JSON" in capsys.readouterr().err


def test_the_report_of_lint_has_a_line_for_each_dashboard(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    assert run(monkeypatch, "lint", "--report") == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["dashboard", "panels"]
    assert {line.split()[0] for line in lines} == {*files(ROOT), "all"}


def test_lint_fails_on_a_finding_and_prints_file_panel_rule_and_remedy(
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


def test_lint_fix_writes_a_raw_export_in_the_normal_form(monkeypatch: pytest.MonkeyPatch, checkout: Path) -> None:
    path = files(checkout)["service"]
    before = path.read_text()
    path.write_text(json.dumps({"id": 12, "version": 3, **json.loads(before)}))

    assert run(monkeypatch, "lint") == 1
    assert run(monkeypatch, "lint", "--fix") == 0
    assert path.read_text() == before


@pytest.mark.parametrize("command", ["pull", "push", "diff", "lint", "new"])
def test_every_command_has_a_help_text(command: str) -> None:
    shown = CliRunner().invoke(main.app, ["dashboards", command, "--help"])

    assert shown.exit_code == 0
    assert len(shown.output.split()) > 20
