"""The kinds of users: one behaviour per file, selected by the file's name."""

from loadtest.users.browse import Browse
from loadtest.users.order import Order
from loadtest.users.receipt import Receipt
from loadtest.users.shopper import Shopper
from loadtest.users.slow_query import SlowQuery

__all__ = ["Browse", "Order", "Receipt", "SlowQuery", "mix"]

BY_NAME: dict[str, type[Shopper]] = {"browse": Browse, "order": Order, "receipt": Receipt, "slow_query": SlowQuery}


def mix(text: str) -> list[type[Shopper]]:
    """The users of a mix such as `browse=7,order=3`, with their weights. Exits with an error if it is invalid."""
    chosen: list[type[Shopper]] = []
    for part in text.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in BY_NAME or not weight.isdigit() or not int(weight):
            raise SystemExit(f"LOAD_MIX contains {part!r}: choose from {'=1,'.join(BY_NAME)}=1")
        BY_NAME[name].weight = int(weight)
        chosen.append(BY_NAME[name])
    return chosen
