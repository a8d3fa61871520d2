"""The contents of a receipt, in a separate module so that the service does not import the PDF library."""

from datetime import datetime
from typing import NamedTuple


class SoldLine(NamedTuple):
    """Units of one product, with its name at the time of rendering."""

    name: str
    quantity: int
    unit_price_cents: int


class Sale(NamedTuple):
    """The order that a receipt documents."""

    order_id: int
    created_at: datetime
    lines: tuple[SoldLine, ...]
