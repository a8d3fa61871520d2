"""Receipt: places an order, asks for its receipt, and looks until it is rendered."""

from loadtest.users.order import Order

ROUTE = "/orders/{order_id}/receipt"
RENDERED = 200


class Receipt(Order):
    """Somebody who wants it on paper."""

    asked = False

    def act(self) -> None:
        """Orders, asks, or looks. Fails where the answer is not 201, 202 or 200."""
        if self.placed is None:
            super().act()
        elif not self.asked:
            self.asked = self.send("PUT", ROUTE, {"order_id": self.placed}).ok
        elif self.get(ROUTE, order_id=self.placed).status == RENDERED:
            self.placed, self.asked = None, False
