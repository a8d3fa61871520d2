"""The HTTP routes of orders."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response

from app.database import DatabaseDep
from app.problems import ProblemError, documented
from app.shop import order_book
from app.shop.fields import BIGINT, IdentifierInPath, PageSize
from app.shop.order_models import NewOrder, Order, OrderPage

router = APIRouter(prefix="/orders", tags=["orders"])

# draft-ietf-httpapi-idempotency-key-header lets the server choose the key's format. This one accepts visible ASCII,
# with room for a UUID.
IdempotencyKey = Annotated[str, Header(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
UserId = Annotated[
    str, Header(alias="X-User-Id", max_length=128, pattern=r"^[\x21-\x7e]+$", description="set by the gateway")
]


@router.post(
    "",
    status_code=201,
    responses={
        201: {"headers": {"Idempotency-Replayed": {"description": "`true` if the order already existed"}}},
        **documented(400, 409, 422, 503),
    },
)
async def place_order(
    new: NewOrder,
    response: Response,
    database: DatabaseDep,
    idempotency_key: IdempotencyKey,
    user_id: UserId = "anonymous",
) -> Order:
    """Place an order. Idempotent: the same key and body return the same order."""
    async with database.transaction() as connection:
        placed = await order_book.place(connection, user_id, idempotency_key, new)
    if placed.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return placed.order


@router.get("", responses=documented(422, 503))
async def list_orders(
    database: DatabaseDep, limit: PageSize = 50, before: Annotated[int, Query(ge=1, le=BIGINT)] = BIGINT
) -> OrderPage:
    """List the orders, newest first, one page at a time."""
    async with database.connection() as connection:
        items = await order_book.page(connection, before, limit)
    return OrderPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/{order_id}", responses=documented(404, 422, 503))
async def get_order(order_id: IdentifierInPath, database: DatabaseDep) -> Order:
    """Get one order with its lines."""
    async with database.connection() as connection:
        order = await order_book.find(connection, order_id)
    if order is None:
        raise ProblemError(404, f"Order {order_id} does not exist.")
    return order
