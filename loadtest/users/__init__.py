"""Who uses the shop: one behaviour a file, found by its file's name."""

from loadtest.users.browse import Browse
from loadtest.users.order import Order
from loadtest.users.receipt import Receipt
from loadtest.users.shopper import Shopper
from loadtest.users.slow_query import SlowQuery

__all__ = ["Browse", "Order", "Receipt", "SlowQuery", "mix"]

BY_NAME: dict[str, type[Shopper]] = {"browse": Browse, "order": Order, "receipt": Receipt, "slow_query": SlowQuery}


def mix(text: str) -> list[type[Shopper]]:
    """The users of a mix such as `browse=7,order=3`, with these weights. Ends the process where it is none."""
    chosen: list[type[Shopper]] = []
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in BY_NAME or not weight.isdigit() or not int(weight):
            raise SystemExit(f"LOAD_MIX has {part!r}: say {'=1,'.join(BY_NAME)}=1 or some of them")
        BY_NAME[name].weight = int(weight)
        chosen.append(BY_NAME[name])
    return chosen
