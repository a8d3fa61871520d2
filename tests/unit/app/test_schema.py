"""The revisions: readiness compares their numbers, so alembic must agree with them."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from app import schema


def script() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(schema.REVISIONS.parent))
    return ScriptDirectory.from_config(config)


def test_the_head_that_readiness_waits_for_is_alembics() -> None:
    assert script().get_heads() == [schema.head()]


def test_every_revision_is_numbered_four_digits_in_a_row_and_its_file_says_so() -> None:
    revisions = sorted(revision.revision for revision in script().walk_revisions())
    files = sorted(Path(revision.path).name.split("_")[0] for revision in script().walk_revisions())
    assert revisions == files == [f"{number:04}" for number in range(1, len(revisions) + 1)]
