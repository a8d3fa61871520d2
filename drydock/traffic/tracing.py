"""Whether the requests are traced, and how many of them: what the environment says of it."""

import os
from typing import TYPE_CHECKING

from drydock.core.errors import CannotRunError

if TYPE_CHECKING:
    from drydock.traffic.spans import Tracing


def tracing_of(url: str) -> "Tracing | None":
    """The tracing of requests to `url`, as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_SAMPLER_ARG say.

    None, and no cost, where no endpoint is set.

    Raises:
        CannotRunError: the share of traces to keep is not one.
    """
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint:
        return None
    # Imported here, for the SDK takes longer to load than all the rest, and without an endpoint for nothing.
    from drydock.traffic.spans import Tracing

    return Tracing(endpoint, _share(), url)


def _share() -> float:
    text = os.environ.get("OTEL_TRACES_SAMPLER_ARG") or "1"
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise CannotRunError(f"OTEL_TRACES_SAMPLER_ARG is {text!r}", "Set it to the share of traces to keep, 0 to 1.")
    return share
