"""The products to buy. Each process reads them once from the service."""

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtest.users.shopper import Shopper

# Only products that a long run cannot sell out: the catalogue has a million of each, products of tests have fewer.
LEAST_STOCK = 10_000

_products: list[int] = []


def known() -> bool:
    """Whether the products have been read."""
    return bool(_products)


def look(user: "Shopper") -> None:
    """Request the products."""
    answer = user.get("/products?limit={limit}", limit=50)
    if answer.ok:
        _products[:] = [item["id"] for item in answer.json["items"] if item["stock"] >= LEAST_STOCK]


def pick() -> int:
    """The ID of a random product."""
    return random.choice(_products)  # noqa: S311 - no secret depends on it
