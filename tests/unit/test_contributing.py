"""What a contributor meets outside of the code calls only what exists: workflows, hooks, templates, pages."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.test_architecture import LAYERS

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
DOCS = ROOT / "docs"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PAGES = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/README.md")]
PUBLISHED = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
MAKE = re.compile(r"make ([a-z0-9-]+)(?: ARGS=(\S+|\"[^\"]*\"))?")
ACTION = re.compile(r"uses: (\S+)(.*)")
# A commit, because a tag can be moved, and the tag that it had, for a reader.
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}$")


def read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text())
    return document


def targets() -> set[str]:
    """The targets of the Makefile that a person types."""
    return set(re.findall(r"^([a-z0-9-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


def shown(*command: str) -> str:
    """The help text of `drydock` with these words; they name a command that exists, or this fails."""
    arguments = [sys.executable, "-m", "drydock", *command, "--help"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def jobs() -> list[Any]:
    return [
        pytest.param(job, id=f"{path.stem}-{name}") for path in WORKFLOWS for name, job in read(path)["jobs"].items()
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_runs_make_targets_that_exist_and_nothing_else(path: Path) -> None:
    commands = [step["run"] for step in steps(read(path)) if "run" in step]

    called = [MAKE.fullmatch(command) for command in commands]
    assert commands
    assert [command for command, match in zip(commands, called, strict=True) if not match] == []
    assert {match[1] for match in called if match} <= targets()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_runs_once_for_each_branch(path: Path) -> None:
    workflow = read(path)

    assert workflow["permissions"] == {"contents": "read"}
    assert "github.ref" in workflow["concurrency"]["group"]
    assert True in workflow, "YAML 1.1 reads the key `on` as a truth value"


@pytest.mark.parametrize("job", jobs())
def test_a_job_has_a_limit_and_writes_only_the_results_of_the_check(job: dict[str, Any]) -> None:
    assert 0 < job["timeout-minutes"] <= 90
    assert "latest" not in job["runs-on"]
    written = {name for name, level in job.get("permissions", {}).items() if level != "read"}
    assert written <= {"security-events"}
    assert bool(written) == any("upload-sarif" in step.get("uses", "") for step in job["steps"])


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    files = [*WORKFLOWS, *(GITHUB / "actions").rglob("action.yml")]
    used = [match for path in files for match in ACTION.findall(path.read_text())]

    own = {action for action, _ in used if action.startswith("./")}
    assert [action for action in own if not (ROOT / action / "action.yml").is_file()] == []
    unpinned = {
        action
        for action, comment in used
        if action not in own and not (PINNED.match(action) and re.fullmatch(r" # v\d+\.\d+\.\d+", comment))
    }
    assert not unpinned


def test_the_check_is_called_with_options_that_it_has() -> None:
    matches = [MAKE.fullmatch(step.get("run", "")) for path in WORKFLOWS for step in steps(read(path))]
    (arguments,) = [match[2].strip('"') for match in matches if match and match[1] == "check"]
    options = re.findall(r"--[a-z]+", arguments)

    help_text = shown("check")
    assert [option for option in options if option not in help_text] == []
    assert "drydock check $(ARGS)" in (ROOT / "Makefile").read_text()


def hooks() -> list[dict[str, Any]]:
    (local,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local", "a hook of another repository would have a version of its own"
    found: list[dict[str, Any]] = local["hooks"]
    return found


@pytest.mark.parametrize("hook", hooks(), ids=lambda hook: hook["id"])
def test_a_hook_runs_a_tool_of_the_lock(hook: dict[str, Any]) -> None:
    uv, run, locked, tool, *arguments = hook["entry"].split()

    assert (uv, run, locked) == ("uv", "run", "--locked")
    assert shutil.which(tool, path=str(Path(sys.prefix) / "bin"))
    assert hook["language"] == "system"
    assert "name" in hook
    if tool == "drydock":
        shown(*arguments)


def test_each_hook_has_files_to_look_at() -> None:
    everything = [path.relative_to(ROOT).as_posix() for path in (ROOT / "observability").rglob("*")]
    patterns = [hook["files"] for hook in hooks() if "files" in hook]

    assert patterns
    assert [pattern for pattern in patterns if not any(map(re.compile(pattern).search, everything))] == []
    assert all("files" in hook or "python" in hook["types_or"] for hook in hooks())


def test_a_bug_report_asks_for_the_doctor_and_the_run_folder() -> None:
    body = read(GITHUB / "ISSUE_TEMPLATE" / "bug.yml")["body"]

    asked = {field["id"]: field for field in body if field["type"] != "markdown"}
    assert len(asked) == len(body) - 1
    assert asked["doctor"]["validations"] == {"required": True}
    assert {"doctor"} <= targets()
    assert "runs/" in asked["run"]["attributes"]["description"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_commands_and_files_that_exist(page: Path) -> None:
    text = page.read_text()

    assert set(re.findall(r"\bmake ([a-z][a-z0-9-]*)(?=[ `\n])", "\n".join(code(text)))) <= targets()
    linked = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert [link for link in linked if link and not (page.parent / link).exists()] == []
    paths = [word for word in code(text) if re.fullmatch(r"[\w.]+(/[\w.-]+)+/?", word)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def code(text: str) -> list[str]:
    """What a page sets as code: between backticks, and lines of blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [*inline, *(line for block in blocks for line in block.splitlines())]


@pytest.mark.parametrize(
    ("index", "folders"), [("docs/README.md", ["how-to", "reference"]), ("docs/decisions/README.md", ["."])]
)
def test_an_index_links_every_page_of_its_folders(index: str, folders: list[str]) -> None:
    home = (ROOT / index).parent

    pages = {path.relative_to(home).as_posix() for folder in folders for path in (home / folder).glob("*.md")}
    linked = set(re.findall(r"\]\(([^)#]+\.md)", (ROOT / index).read_text()))
    assert pages - {"README.md"} - linked == set()


def test_each_page_is_in_a_folder_of_the_index() -> None:
    pages = {path.relative_to(DOCS) for path in DOCS.rglob("*.md")} - {Path("README.md")}

    assert {page.parts[:-1] for page in pages} == {("how-to",), ("reference",), ("decisions",)}


@pytest.mark.parametrize("page", PUBLISHED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    links = [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]

    assert [link for link, _, _ in links if link and not (page.parent / link).exists()] == []
    named = [(page.parent / link if link else page, anchor) for link, _, anchor in links if anchor]
    assert [(target.name, anchor) for target, anchor in named if anchor not in headings(target)] == []


def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub derives them from its headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PUBLISHED, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_names_tests_and_folders_that_exist(page: Path) -> None:
    folders = "app|bench|docs|drills|drydock|k8s|loadtest|observability|tests|tilt"
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    paths = re.findall(rf"`((?:{folders})/[\w./-]+)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_each_concern_is_where_the_table_locates_it() -> None:
    table = (DOCS / "reference" / "find-it.md").read_text().partition("| question |")[2]
    rows = re.findall(r"^\| (Wh\w+ .*?|How .*?) \| (.*) \|$", table, re.MULTILINE)
    located = {question: re.findall(r"`([\w.-]+(?:/[\w.-]*)+|[\w-]+\.toml)`", answer) for question, answer in rows}

    assert len(located) >= 10
    assert [question for question, paths in located.items() if not paths] == []
    assert [path for paths in located.values() for path in paths if not (ROOT / path).exists()] == []


def test_every_layer_is_explained_in_its_order() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text()

    explained = re.findall(r"^\| `([a-z_]+)/` \|", contributing, re.MULTILINE)
    packages = {path.parent.name for path in (ROOT / "drydock").glob("*/__init__.py")}
    assert packages == set(explained)
    assert sorted(explained, key=LAYERS.index) == explained
