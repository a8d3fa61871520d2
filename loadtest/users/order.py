"""Order: places an order, then reads it back."""

from loadtest.users import shelf
from loadtest.users.shopper import Shopper


class Order(Shopper):
    """Somebody who buys, each time with a new Idempotency-Key."""

    placed: int | None = None

    def act(self) -> None:
        """Places an order, or reads the last one. Fails where the answer is not 201 or 200."""
        if not shelf.known():
            shelf.look(self)
        elif self.placed is None:
            self.place()
        else:
            self.get("/orders/{order_id}", order_id=self.placed)
            self.placed = None

    def place(self) -> None:
        """Orders one unit of some product."""
        body = {"lines": [{"product_id": shelf.pick(), "quantity": 1}]}
        answer = self.send("POST", "/orders", {}, body, self.new_key())
        self.placed = answer.json["id"] if answer.ok else None
