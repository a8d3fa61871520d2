"""What a receipt is about. Apart from its rendering, so that the service does not load what draws."""

from datetime import datetime
from typing import NamedTuple


class SoldLine(NamedTuple):
    """Units of one product, named as it was when the receipt was rendered."""

    name: str
    quantity: int
    unit_price_cents: int


class Sale(NamedTuple):
    """What a receipt says."""

    order_id: int
    created_at: datetime
    lines: tuple[SoldLine, ...]
