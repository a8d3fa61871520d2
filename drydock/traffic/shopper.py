"""What is sent: a small mix of reads, orders and receipts, on a product of the run's own."""

import asyncio
import json
import uuid

from drydock.core.errors import CannotRunError
from drydock.requests.outcome import Outcome
from drydock.traffic.client import Answer, Client, Lane, Operation

# How long the service may take to answer at first: a new pod's network and DNS need a moment.
PATIENCE_SECONDS = 15.0
PAUSE_SECONDS = 0.5
REMEDY = "Is the service up, and is this its address? `drydock status` tells."

LIST = Operation("GET", "/products", "/products?limit=20")
MIX = 8


class Shopper:
    """Lists products, looks at one, orders it, reads the newest order back or asks for its receipt: over and over."""

    def __init__(self) -> None:
        self._product = 0
        self._order = 0

    async def prepare(self, client: Client, orders: int) -> None:
        """Puts a product with stock for `orders` orders on the shelf, and orders one.

        Raises:
            CannotRunError: the service does not answer, or does not do that.
        """
        await _wait_for(client)
        product = {"name": "traffic", "price_cents": 100, "stock": orders + 1}
        shelve = Operation("POST", "/products", "/products", product)
        self._product = _created(client, await client.send(Lane.FRESH, shelve))
        self._order = _created(client, await client.send(Lane.FRESH, self._place()))

    def operation(self, number: int) -> Operation:
        """The request of this number."""
        match number % MIX:
            case 0 | 4:
                return LIST
            case 1 | 5:
                return Operation("GET", "/products/{product_id}", f"/products/{self._product}")
            case 2 | 6:
                return self._place()
            case 7:
                return Operation("PUT", "/orders/{order_id}/receipt", f"/orders/{self._order}/receipt")
        return Operation("GET", "/orders/{order_id}", f"/orders/{self._order}")

    def learn(self, operation: Operation, answer: Answer) -> None:
        """Takes note of an order that was acknowledged, so that it can be read back."""
        if operation.idempotency_key and answer.outcome is Outcome.OK:
            self._order = max(self._order, _identifier(answer) or 0)

    def _place(self) -> Operation:
        lines = [{"product_id": self._product, "quantity": 1}]
        return Operation("POST", "/orders", "/orders", {"lines": lines}, idempotency_key=f"traffic-{uuid.uuid4()}")


async def _wait_for(client: Client) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while (answer := await client.send(Lane.FRESH, LIST)).outcome is not Outcome.OK:
        if loop.time() > deadline:
            raise CannotRunError(
                f"{client.url} did not answer within {PATIENCE_SECONDS:.0f} s: {_described(answer)}", REMEDY
            )
        await asyncio.sleep(PAUSE_SECONDS)


def _created(client: Client, answer: Answer) -> int:
    identifier = _identifier(answer) if answer.outcome is Outcome.OK else None
    if identifier is None:
        raise CannotRunError(f"{client.url} could not be prepared: {_described(answer)}", REMEDY)
    return identifier


def _identifier(answer: Answer) -> int | None:
    """The number of what was just created; None where the response does not tell."""
    try:
        return int(json.loads(answer.body)["id"])
    except (ValueError, TypeError, KeyError):
        return None


def _described(answer: Answer) -> str:
    said = answer.reason or f"{answer.status} {answer.body.decode(errors='replace')[:200]}".strip()
    return f"{answer.outcome}, {said}"
