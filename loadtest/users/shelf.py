"""What there is to buy: read once by each process, from the service itself."""

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtest.users.shopper import Shopper

# Only what a long run cannot sell out: the catalogue has a million of each, what a test put there has less.
LEAST_STOCK = 10_000

_products: list[int] = []


def known() -> bool:
    """Whether somebody has looked."""
    return bool(_products)


def look(user: "Shopper") -> None:
    """Sends the request that asks for it."""
    answer = user.get("/products?limit={limit}", limit=50)
    if answer.ok:
        _products[:] = [item["id"] for item in answer.json["items"] if item["stock"] >= LEAST_STOCK]


def pick() -> int:
    """The id of some product."""
    return random.choice(_products)  # noqa: S311 - no secret depends on it
