"""Percentiles by the nearest rank, the definition of every percentile in Drydock."""

import pytest

from drydock.requests.statistics import milliseconds, percentile


@pytest.mark.parametrize(
    ("seconds", "share", "expected"),
    [
        ([], 50, None),
        ([0.004], 0, 0.004),
        ([0.004], 99, 0.004),
        ([0.001, 0.002, 0.003, 0.004], 50, 0.002),
        ([0.001, 0.002, 0.003, 0.004], 51, 0.003),
        ([0.001, 0.002, 0.003, 0.004], 75, 0.003),
        ([0.001, 0.002, 0.003, 0.004], 76, 0.004),
        ([n / 1000 for n in range(1, 101)], 99, 0.099),
        ([n / 1000 for n in range(1, 101)], 100, 0.1),
    ],
)
def test_a_percentile_is_the_nearest_rank(seconds: list[float], share: int, expected: float | None) -> None:
    assert percentile(seconds, share) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(None, None), (0.00123456, 1.2), (2.0, 2000.0)])
def test_milliseconds_are_rounded_to_a_tenth(seconds: float | None, expected: float | None) -> None:
    assert milliseconds(seconds) == expected
