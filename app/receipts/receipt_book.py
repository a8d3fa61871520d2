"""The table of receipts: one row for each requested receipt. The first worker to render it writes the document."""

from datetime import datetime
from typing import Literal

import asyncpg
from pydantic import BaseModel, Field

from app.database import Connection
from app.receipts.sale import Sale, SoldLine
from app.shop.fields import Identifier

STATE = """
    order_id, requested_at, rendered_at, failed_at,
    CASE WHEN rendered_at IS NOT NULL THEN 'rendered' WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'pending' END
    AS status
"""
REQUEST = f"""
    INSERT INTO receipts (order_id) SELECT id FROM orders WHERE id = $1
    ON CONFLICT (order_id) DO UPDATE SET requested_at = now(), attempts = 0, failed_at = NULL, failure = NULL
    WHERE receipts.failed_at IS NOT NULL RETURNING {STATE}
"""  # noqa: S608 - of constants


class Receipt(BaseModel):
    """The state of a receipt."""

    order_id: Identifier
    status: Literal["pending", "rendered", "failed"]
    requested_at: datetime
    rendered_at: datetime | None = Field(description="null until the receipt is rendered")


class Document(BaseModel):
    """A rendered receipt."""

    content: bytes
    rendered_at: datetime


async def request(connection: Connection, order_id: int) -> Receipt | None:
    """Record a request for a receipt, or for another attempt at a failed one. None if there is nothing new to render.

    Concurrent requests wait for the transaction of the first.
    """
    row = await connection.fetchrow(REQUEST, order_id)
    return None if row is None else _receipt(row)


async def find(connection: Connection, order_id: int) -> Receipt | None:
    """The state of an order's receipt. None if it was never requested."""
    row = await connection.fetchrow(f"SELECT {STATE} FROM receipts WHERE order_id = $1", order_id)  # noqa: S608 - of constants
    return None if row is None else _receipt(row)


async def document(connection: Connection, order_id: int) -> Document:
    """The document of a rendered receipt."""
    row = await connection.fetchrow(
        "SELECT document AS content, rendered_at FROM receipts WHERE order_id = $1 AND rendered_at IS NOT NULL",
        order_id,
    )
    return Document.model_validate(dict(row))


async def begin(connection: Connection, order_id: int) -> int | None:
    """Count one more rendering attempt and return its number. None if the receipt is already rendered or has failed.

    Counting before the attempt bounds the attempts at a receipt that kills its worker each time.
    """
    number: int | None = await connection.fetchval(
        "UPDATE receipts SET attempts = attempts + 1"
        " WHERE order_id = $1 AND rendered_at IS NULL AND failed_at IS NULL RETURNING attempts",
        order_id,
    )
    return number


async def sale(connection: Connection, order_id: int) -> Sale:
    """The contents of an order's receipt."""
    row = await connection.fetchrow(
        "SELECT created_at, ARRAY(SELECT (name, quantity, unit_price_cents) FROM order_lines"
        " JOIN products ON products.id = product_id WHERE order_id = orders.id ORDER BY product_id) AS lines"
        " FROM orders WHERE id = $1",
        order_id,
    )
    return Sale(order_id, row["created_at"], tuple(SoldLine(*line) for line in row["lines"]))


async def keep(connection: Connection, order_id: int, content: bytes, worker: str) -> float | None:
    """Write a rendered receipt and return the seconds since its request. None, and no change, if it already exists."""
    waited: float | None = await connection.fetchval(
        "UPDATE receipts SET rendered_at = clock_timestamp(), rendered_by = $3, document = $2"
        " WHERE order_id = $1 AND rendered_at IS NULL AND failed_at IS NULL"
        " RETURNING extract(epoch FROM rendered_at - requested_at)::float",
        order_id,
        content,
        worker,
    )
    return waited


async def give_up(connection: Connection, order_id: int, reason: str) -> None:
    """Mark a receipt as failed."""
    await connection.execute(
        "UPDATE receipts SET failed_at = clock_timestamp(), failure = $2 WHERE order_id = $1 AND rendered_at IS NULL",
        order_id,
        reason,
    )


def _receipt(row: asyncpg.Record) -> Receipt:
    return Receipt.model_validate(dict(row))
