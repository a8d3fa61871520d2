"""The page about the service says what the service does."""

import re
from pathlib import Path

from pydantic import SecretStr

from app.settings import Settings

PAGE = Path(__file__).parents[3] / "docs" / "service.md"


def documented() -> dict[str, str]:
    """Variable and default, as the page's table has them."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+?) \|", PAGE.read_text(), re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


def test_every_variable_is_documented_with_its_default() -> None:
    settings = {
        name.upper(): "unset" if field.default is None else str(field.default).lower()
        for name, field in Settings.model_fields.items()
        if not field.is_required() and field.default_factory is None
    }
    assert documented() == {**settings, "DATABASE_URL": "required", "POD_NAME": "the host's name"}


def test_the_secret_is_kept_as_one() -> None:
    assert Settings.model_fields["database_url"].annotation is SecretStr
