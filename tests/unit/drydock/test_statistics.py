"""Percentiles by the nearest rank, the definition of every percentile in Drydock."""

import pytest

from drydock.requests.statistics import in_words, milliseconds, percent, percentile, upper_bound


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


# The exact limits of a Poisson count at 95 %, one-sided (Garwood, Biometrika 1936).
@pytest.mark.parametrize(("lost", "mean"), [(0, 2.996), (1, 4.744), (2, 6.296), (10, 16.962), (100, 118.079)])
def test_the_bound_of_a_loss_is_that_of_a_poisson_count(lost: int, mean: float) -> None:
    assert upper_bound(lost, 10_000) * 10_000 == pytest.approx(mean, abs=0.001)


@pytest.mark.parametrize(("lost", "sent"), [(0, 0), (0, 2), (5, 5)])
def test_a_bound_never_exceeds_all_requests(lost: int, sent: int) -> None:
    assert upper_bound(lost, sent) == 1


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.5, "50 %"),
        (0.0003, "0.03 %"),
        (0.0000003, "0.00003 %"),
        (0.123456, "12 %"),
        (0.999, "100 %"),
    ],
)
def test_a_percentage_has_two_digits_and_no_exponent(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(("share", "text"), [(0.005, "0.5 %"), (0.125, "12.5 %"), (0.999, "99.9 %"), (1, "100 %")])
def test_a_limit_is_written_as_it_was_set(share: float, text: str) -> None:
    assert percent(share, digits=6) == text


@pytest.mark.parametrize(
    ("lost", "sent", "text"),
    [
        (0, 1, "0 of 1 requests lost (at most 100 % with 95 % confidence)"),
        (0, 10_146, "0 of 10,146 requests lost (at most 0.03 % with 95 % confidence)"),
        (7, 10_000_000, "7 of 10,000,000 requests lost (at most 0.00013 % with 95 % confidence)"),
    ],
)
def test_a_loss_is_stated_with_its_bound(lost: int, sent: int, text: str) -> None:
    assert in_words(lost, sent) == text


def test_without_requests_there_is_no_bound_to_state() -> None:
    assert in_words(0, 0) == "no request was sent"
