"""The feed of new orders: server-sent events until the process drains."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from app.database import Database, DatabaseDep, DatabaseUnavailableError
from app.drain import Drain
from app.problems import documented
from app.shop import order_book
from app.shop.fields import BIGINT
from app.shop.order_models import Order

router = APIRouter(prefix="/orders", tags=["orders"])

POLL_SECONDS = 1.0
BATCH = 500
# An order gets its ID before its transaction commits, so it may appear after a newer one. The feed therefore rereads
# this many recent IDs.
OVERLAP = 200


async def _drain(request: Request) -> Drain:
    drain: Drain = request.app.state.drain
    return drain


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **documented(503)},
)
async def stream_orders(database: DatabaseDep, drain: Annotated[Drain, Depends(_drain)]) -> StreamingResponse:
    """Stream new orders as server-sent events. After an `end` event the client should reconnect."""
    return StreamingResponse(_events(database, drain, await _newest(database)), media_type="text/event-stream")


async def _events(database: Database, drain: Drain, newest: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    sent = set(range(newest - OVERLAP, newest + 1))
    while not drain.active:
        for order in await _unsent(database, sent):
            sent.add(order.id)
            yield f"event: order\nid: {order.id}\ndata: {order.model_dump_json()}\n\n"
        sent = {order_id for order_id in sent if order_id >= max(sent) - OVERLAP}
        await drain.pause(POLL_SECONDS)
    yield "event: end\ndata: draining\n\n"


async def _unsent(database: Database, sent: set[int]) -> list[Order]:
    try:
        async with database.connection() as connection:
            orders = await order_book.since(connection, max(sent) - OVERLAP, BATCH)
    except DatabaseUnavailableError:
        return []  # the stream survives an outage: the next poll tries again
    return [order for order in orders if order.id not in sent]


async def _newest(database: Database) -> int:
    async with database.connection() as connection:
        orders = await order_book.page(connection, BIGINT, 1)
    return orders[0].id if orders else 0
