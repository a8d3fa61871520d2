"""Error messages about settings name the variable and the remedy, never the value."""

import pytest
from pydantic import ValidationError

from app.settings import Settings, complaints

VALID = "postgresql://app:secret@db:5432/shop"


def complaints_about(monkeypatch: pytest.MonkeyPatch, **environment: str) -> list[str]:
    monkeypatch.setenv("DATABASE_URL", VALID)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    return complaints(caught.value)


def test_each_wrong_variable_gets_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = complaints_about(monkeypatch, DRAIN_SECONDS="soon", DATABASE_POOL_SIZE="0")
    assert len(lines) == 2
    assert any(line.startswith("configuration: DRAIN_SECONDS: ") for line in lines)


def test_an_error_message_never_contains_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = complaints_about(monkeypatch, DATABASE_URL="mysql://app:secret@db/shop")
    assert lines == [
        "configuration: DATABASE_URL: is not a postgresql:// address; "
        "set it to postgresql://USER:PASSWORD@HOST:5432/NAME"
    ]


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", VALID)
    monkeypatch.setenv("SENTRY_DSN", "")
    assert Settings().sentry_dsn is None


def test_the_representation_does_not_contain_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", VALID)
    assert "secret" not in repr(Settings())


@pytest.mark.parametrize("name", sorted(set(Settings.model_fields)))
def test_every_variable_has_a_remedy(name: str) -> None:
    assert (Settings.model_fields[name].description or "").startswith("set it to")
