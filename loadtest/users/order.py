"""Order: places an order, then reads it back."""

from loadtest.users import shelf
from loadtest.users.shopper import Shopper


class Order(Shopper):
    """A user who orders, each time with a new Idempotency-Key."""

    placed: int | None = None

    def act(self) -> None:
        """Place an order, or read the last one. Any response but 201 or 200 is a failure."""
        if not shelf.known():
            shelf.look(self)
        elif self.placed is None:
            self.place()
        else:
            self.get("/orders/{order_id}", order_id=self.placed)
            self.placed = None

    def place(self) -> None:
        """Order one unit of a random product."""
        body = {"lines": [{"product_id": shelf.pick(), "quantity": 1}]}
        answer = self.send("POST", "/orders", {}, body, self.new_key())
        self.placed = answer.json["id"] if answer.ok else None
