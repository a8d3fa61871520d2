"""Durations, sizes and CPU quantities of Compose and Kubernetes as numbers."""

import re

SECONDS = {"h": 3600, "m": 60, "s": 1}
BYTES = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def seconds(duration: str) -> int:
    """The seconds of a Compose duration, such as 40s or 2m30s."""
    parts = re.findall(r"(\d+)([hms])", duration)
    if "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is not a duration such as 40s or 2m30s")
    return sum(int(number) * SECONDS[unit] for number, unit in parts)


def size(amount: str) -> int:
    """The bytes of 256Mi (Kubernetes), 256m (Compose) or 256MiB (Go). All three use powers of two."""
    match = re.fullmatch(r"(\d+)([KMGkmg]?)i?[bB]?", amount)
    if match is None:
        raise ValueError(f"{amount!r} is not a size such as 256Mi or 256m")
    return int(match[1]) * BYTES[match[2].lower()]


def cores(amount: str | float) -> float:
    """The cores of a CPU quantity, such as 250m or 1."""
    text = str(amount)
    return int(text[:-1]) / 1000 if text.endswith("m") else float(text)
