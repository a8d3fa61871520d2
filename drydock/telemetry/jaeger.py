"""Asking Jaeger whether a trace has arrived."""

import httpx2

from drydock.core.errors import FailedError

SECONDS = 5.0


def arrived(jaeger: str, trace: str, client: str) -> bool:
    """Whether the trace of this identifier has a span of somebody else than `client`, who sent the request.

    Raises:
        FailedError: Jaeger does not answer.
    """
    try:
        answer = httpx2.get(f"{jaeger}/api/traces/{trace}", timeout=SECONDS, trust_env=False)
    except httpx2.HTTPError as error:
        raise FailedError(f"Jaeger does not answer at {jaeger}: {error}", "drydock status") from error
    if answer.status_code != 200:
        return False
    traces = answer.json().get("data") or []
    return any(process["serviceName"] != client for found in traces for process in found["processes"].values())
