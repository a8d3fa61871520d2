"""The table of orders: one transaction places an order, reduces the stock and stores the Idempotency-Key.

The database enforces that the key is unique. When requests race with one key, the first inserts the order. The others
wait for its transaction to end (INSERT … ON CONFLICT, PostgreSQL manual) and then read its order.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from app.database import Connection
from app.problems import ProblemError
from app.shop.order_models import Line, NewOrder, Order

ORDERS = """
    SELECT id, created_at, idempotency_key, body_hash,
           ARRAY(SELECT (product_id, quantity, unit_price_cents) FROM order_lines
                 WHERE order_id = orders.id ORDER BY product_id) AS lines
    FROM orders
"""


class Placed(NamedTuple):
    """An order. `replayed` is true if an earlier request with the same key placed it."""

    order: Order
    replayed: bool


async def place(connection: Connection, customer: str, key: str, new: NewOrder) -> Placed:
    """Place the order, or return the one already placed with this customer's key. Call it inside a transaction.

    Raises ProblemError: 409 if the stock is too low, 422 for an unknown product or a key used with another body.
    """
    body_hash = digest(new)
    row = await connection.fetchrow(
        "INSERT INTO orders (customer, idempotency_key, body_hash) VALUES ($1, $2, $3)"
        " ON CONFLICT (customer, idempotency_key) DO NOTHING RETURNING id, created_at",
        customer,
        key,
        body_hash,
    )
    if row is None:
        return Placed(await _replay(connection, customer, key, body_hash), replayed=True)
    lines = await _take_stock(connection, new)
    await connection.execute(
        "INSERT INTO order_lines (order_id, product_id, quantity, unit_price_cents)"
        " SELECT $1, * FROM unnest($2::bigint[], $3::int[], $4::int[])",
        row["id"],
        [line.product_id for line in lines],
        [line.quantity for line in lines],
        [line.unit_price_cents for line in lines],
    )
    return Placed(_order(row["id"], row["created_at"], key, lines), replayed=False)


async def find(connection: Connection, order_id: int) -> Order | None:
    row = await connection.fetchrow(f"{ORDERS} WHERE id = $1", order_id)
    return None if row is None else _from_row(row)


async def page(connection: Connection, before: int, limit: int) -> list[Order]:
    """The newest `limit` orders with an ID below `before`."""
    rows = await connection.fetch(f"{ORDERS} WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
    return [_from_row(row) for row in rows]


async def since(connection: Connection, after: int, limit: int) -> list[Order]:
    """The oldest `limit` orders with an ID above `after`."""
    rows = await connection.fetch(f"{ORDERS} WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
    return [_from_row(row) for row in rows]


async def _replay(connection: Connection, customer: str, key: str, body_hash: bytes) -> Order:
    row = await connection.fetchrow(f"{ORDERS} WHERE customer = $1 AND idempotency_key = $2", customer, key)
    assert row is not None  # noqa: S101 - the insert conflicted with it, and orders are never deleted
    if row["body_hash"] != body_hash:
        raise ProblemError(422, "This Idempotency-Key was used for another order.")
    return _from_row(row)


async def _take_stock(connection: Connection, new: NewOrder) -> list[Line]:
    wanted = {line.product_id: line.quantity for line in new.lines}
    # Locked by ascending ID, so that two orders of the same products never deadlock.
    shelf = await connection.fetch(
        "SELECT id, price_cents, stock FROM products WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
        list(wanted),
    )
    if missing := sorted(wanted.keys() - {row["id"] for row in shelf}):
        raise ProblemError(422, "Some products do not exist.", products=missing)
    if short := [row["id"] for row in shelf if row["stock"] < wanted[row["id"]]]:
        raise ProblemError(409, "Not enough stock.", products=short)
    lines = [
        Line(product_id=row["id"], quantity=wanted[row["id"]], unit_price_cents=row["price_cents"]) for row in shelf
    ]
    await connection.execute(
        "UPDATE products SET stock = stock - taken.quantity"
        " FROM unnest($1::bigint[], $2::int[]) AS taken (product_id, quantity) WHERE id = taken.product_id",
        [line.product_id for line in lines],
        [line.quantity for line in lines],
    )
    return lines


def digest(new: NewOrder) -> bytes:
    """A hash of the order that does not depend on the formatting of its JSON or the sequence of its lines."""
    lines = sorted((line.product_id, line.quantity) for line in new.lines)
    return hashlib.sha256(repr(lines).encode()).digest()


def _from_row(row: asyncpg.Record) -> Order:
    lines = [
        Line(product_id=product, quantity=quantity, unit_price_cents=price) for product, quantity, price in row["lines"]
    ]
    return _order(row["id"], row["created_at"], row["idempotency_key"], lines)


def _order(order_id: int, created_at: object, key: str, lines: Sequence[Line]) -> Order:
    total = sum(line.quantity * line.unit_price_cents for line in lines)
    return Order.model_validate(
        {"id": order_id, "created_at": created_at, "idempotency_key": key, "lines": lines, "total_cents": total}
    )
