"""Browse: looks at the shelf, then at one product after the other. Only reads."""

from loadtest.users import shelf
from loadtest.users.shopper import Shopper

LOOKS = 4


class Browse(Shopper):
    """Somebody who buys nothing."""

    looked = 0

    def act(self) -> None:
        """Reads the shelf, or a product. Fails where the answer is not 200."""
        if self.looked % LOOKS == 0 or not shelf.known():
            shelf.look(self)
        else:
            self.get("/products/{product_id}", product_id=shelf.pick())
        self.looked += 1
