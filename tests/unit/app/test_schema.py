"""The numbers of the revisions, which readiness compares, match alembic's."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from app import schema


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.REVISIONS.parent))
    return ScriptDirectory.from_config(config)


def test_readiness_and_alembic_agree_on_the_head() -> None:
    assert script().get_heads() == [schema.head()]


def test_revisions_and_their_files_are_numbered_consecutively_in_four_digits() -> None:
    revisions = sorted(revision.revision for revision in script().walk_revisions())
    files = sorted(Path(revision.path).name.split("_")[0] for revision in script().walk_revisions())
    assert revisions == files == [f"{number:04}" for number in range(1, len(revisions) + 1)]
