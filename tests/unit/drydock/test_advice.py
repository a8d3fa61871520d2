"""The advice on a cause names the variables of the service where drydock.toml has them."""

import pytest

from drydock.analysis.advice import ADVICE, advice_on
from drydock.analysis.causes import Cause
from drydock.core.project import Shutdown

VARIABLES = Shutdown(drain=("DRAIN",), graceful=("GRACEFUL", "EXTRA"), close=(), backlog_seconds=0)


@pytest.mark.parametrize("cause", ADVICE)
@pytest.mark.parametrize("shutdown", [None, VARIABLES], ids=["without variables", "with them"])
def test_no_advice_has_an_unfilled_place(cause: Cause, shutdown: Shutdown | None) -> None:
    assert "{" not in advice_on(cause, shutdown).change


def test_the_variables_are_named_in_the_order_of_the_file() -> None:
    changes = [advice_on(cause, VARIABLES).change for cause in ADVICE]

    for variables in (" (DRAIN)", " (GRACEFUL, EXTRA)"):
        assert any(variables in change for change in changes), variables
    assert not any("()" in advice_on(cause, None).change for cause in ADVICE)
