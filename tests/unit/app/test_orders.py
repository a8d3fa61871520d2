"""The hash of an order, and the validation of invalid orders."""

import pytest
from pydantic import ValidationError

from app.shop.order_book import digest
from app.shop.order_models import NewOrder


def order(*lines: tuple[int, int]) -> NewOrder:
    return NewOrder.model_validate({"lines": [{"product_id": p, "quantity": q} for p, q in lines]})


def test_the_sequence_of_lines_does_not_change_the_hash() -> None:
    assert digest(order((1, 2), (3, 4))) == digest(order((3, 4), (1, 2)))


@pytest.mark.parametrize("other", [order((1, 2)), order((1, 2), (3, 5)), order((1, 2), (4, 4)), order((1, 23), (4, 4))])
def test_other_products_or_quantities_change_the_hash(other: NewOrder) -> None:
    assert digest(order((1, 2), (3, 4))) != digest(other)


@pytest.mark.parametrize(
    "lines",
    [[], [(1, 0)], [(1, -1)], [(1, 1001)], [(0, 1)], [(2**63, 1)], [(1, 1), (1, 2)], [(n, 1) for n in range(1, 52)]],
)
def test_invalid_orders_are_rejected(lines: list[tuple[int, int]]) -> None:
    with pytest.raises(ValidationError):
        order(*lines)
