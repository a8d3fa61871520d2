"""The routes of the probes and of the Prometheus scrape."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel, Field

from app.problems import documented, problem_response
from app.readiness import Readiness

router = APIRouter(tags=["operations"])


class Live(BaseModel):
    """The process is alive."""

    status: Literal["live"] = "live"


class Ready(BaseModel):
    """All readiness checks passed."""

    status: Literal["ready"] = "ready"
    checks: dict[str, str] = Field(description="the result of each check: `ok`")


async def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


@router.get("/health/live")
async def live() -> Live:
    """200 while the process answers. It checks no dependency: a restart does not bring a lost database back."""
    return Live()


@router.get("/health/ready", response_model=Ready, responses=documented(503))
async def ready(readiness: Annotated[Readiness, Depends(_readiness)]) -> Ready | JSONResponse:
    """200 when all checks pass, otherwise 503 with the failed checks."""
    checks = await readiness.report()
    failed = [name for name, result in checks.items() if result != "ok"]
    if failed:
        return problem_response(503, f"Not ready: {', '.join(failed)}.", checks=checks)
    return Ready(checks=checks)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(request: Request) -> Response:
    """The metrics, in Prometheus text format or in OpenMetrics with exemplars, by content negotiation."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), media_type=content_type)
