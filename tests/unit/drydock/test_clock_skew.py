"""A drill refuses where the judge and the timeline do not tell the same time."""

import pytest

from drydock.core.errors import CannotRunError
from drydock.judge_client.clock_skew import ClockSkew
from drydock.judge_client.progress_sample import ProgressSample

NOW = 1_000.0


def heard(*times: float) -> ClockSkew:
    clocks = ClockSkew(lambda: NOW)
    for time in times:
        clocks.heard(ProgressSample(time, 0, 0, {}, 0, 0, 0))
    return clocks


def test_news_that_was_on_its_way_for_long_is_not_a_clock_that_is_off() -> None:
    clocks = heard(NOW - 3.0, NOW - 0.1, NOW - 2.0)
    clocks.refuse()
    assert clocks.seconds == pytest.approx(0.1)


@pytest.mark.parametrize("off", [-2.0, 2.0])
def test_a_clock_that_is_ahead_or_behind_is_refused_with_the_remedy(off: float) -> None:
    with pytest.raises(CannotRunError, match=r"2\.\d s apart") as refused:
        heard(NOW + off - 0.3, NOW + off - 0.05).refuse()
    assert "Restart Docker" in refused.value.remedy


def test_without_any_news_it_is_refused() -> None:
    with pytest.raises(CannotRunError):
        heard().refuse()
