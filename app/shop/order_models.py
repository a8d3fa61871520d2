"""The request and response bodies of orders."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, model_validator

from app.request_body import RequestBody
from app.shop.fields import Identifier


class NewLine(RequestBody):
    """Units of one product."""

    product_id: Identifier
    quantity: int = Field(ge=1, le=1000)


class NewOrder(RequestBody):
    """The lines of a new order, at most one per product."""

    lines: list[NewLine] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _each_product_once(self) -> Self:
        if len({line.product_id for line in self.lines}) < len(self.lines):
            raise ValueError("each product may appear in one line only")
        return self


class Line(NewLine):
    """Units of one product, with its price at the time of the order."""

    unit_price_cents: int


class Order(BaseModel):
    """A placed order."""

    id: Identifier
    created_at: datetime
    idempotency_key: str
    lines: list[Line]
    total_cents: int


class OrderPage(BaseModel):
    """A page of orders, newest first."""

    items: list[Order]
    next: int | None = Field(description="the `before` of the next page; null on the last page")
