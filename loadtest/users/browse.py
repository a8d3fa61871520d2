"""Browse: lists the products, then reads one after the other. Read-only."""

from loadtest.users import shelf
from loadtest.users.shopper import Shopper

LOOKS = 4


class Browse(Shopper):
    """A user who only reads."""

    looked = 0

    def act(self) -> None:
        """List the products, or read one. Any response but 200 is a failure."""
        if self.looked % LOOKS == 0 or not shelf.known():
            shelf.look(self)
        else:
            self.get("/products/{product_id}", product_id=shelf.pick())
        self.looked += 1
