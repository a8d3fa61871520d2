"""Receipt: places an order, requests its receipt, and polls until it is rendered."""

from loadtest.users.order import Order

ROUTE = "/orders/{order_id}/receipt"
RENDERED = 200


class Receipt(Order):
    """A user who orders and fetches the receipt."""

    asked = False

    def act(self) -> None:
        """Order, request the receipt, or poll it. Any response but 201, 202 or 200 is a failure."""
        if self.placed is None:
            super().act()
        elif not self.asked:
            self.asked = self.send("PUT", ROUTE, {"order_id": self.placed}).ok
        elif self.get(ROUTE, order_id=self.placed).status == RENDERED:
            self.placed, self.asked = None, False
