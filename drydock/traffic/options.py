"""What the load generator is told: by option, or by an environment variable of the same name."""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

# Every duration is kept until the end, for the percentiles.
MOST_REQUESTS = 1_000_000
FASTEST = 1000.0
LONGEST_SECONDS = 3600.0


@dataclass(frozen=True)
class Options:
    """What to send, how often and for how long."""

    url: str
    rate: float
    seconds: float
    timeout: float
    metrics_port: int
    scrape_wait: float

    @property
    def count(self) -> int:
        """How many requests that makes."""
        return int(self.rate * self.seconds)

    @classmethod
    def read(cls, arguments: Sequence[str] | None = None) -> Self:
        """Reads the command line, and the environment for what it leaves out. Ends with code 2 where one is wrong."""
        parser = _parser()
        options = cls(**vars(parser.parse_args(arguments)))
        if options.count not in range(1, MOST_REQUESTS + 1):
            parser.error(f"rate x seconds is {options.count} requests: choose 1 to {MOST_REQUESTS}")
        return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m drydock.traffic",
        description="Sends requests to the shop at a steady rate, never retries, and accounts for each of them.",
        epilog="Each option can be an environment variable too: TRAFFIC_RATE for --rate. Exit code: 0 nothing was lost,"
        " 1 something was, 2 it could not run.",
    )

    def add(name: str, kind: Callable[[str], object], default: str, text: str) -> None:
        # argparse converts a default that is text as it does an option, so a wrong variable is refused in the same way.
        value = os.environ.get(f"TRAFFIC_{name.upper()}") or default
        parser.add_argument(f"--{name.replace('_', '-')}", type=kind, default=value, help=f"{text} (default {default})")

    add("url", _url, "http://shop.shop", "where the service answers")
    add("rate", _between(0.1, FASTEST), "20", "requests a second")
    add("seconds", _between(1, LONGEST_SECONDS), "60", "how long to send")
    add("timeout", _between(0.1, 60), "10", "seconds that a request may take")
    add("metrics_port", int, "8000", "where /metrics is; 0 takes a free port")
    add("scrape_wait", _between(0, 60), "12", "seconds to wait at the end for one more scrape, at most")
    return parser


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not http://HOST")
    return text.rstrip("/")


def _between(least: float, most: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least:g} and {most:g}")
        return value

    return number
