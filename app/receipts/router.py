"""The HTTP routes of receipts."""

from email.utils import format_datetime
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from app.database import Connection, DatabaseDep
from app.problems import ProblemError, documented
from app.receipts import queue, receipt_book
from app.receipts.receipt_book import Receipt
from app.shop.fields import IdentifierInPath

router = APIRouter(prefix="/orders", tags=["receipts"])

RETRY_AFTER_SECONDS = 1
PENDING: dict[int | str, dict[str, Any]] = {
    202: {
        "model": Receipt,
        "description": "The receipt is not rendered yet",
        "headers": {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
    }
}
PDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The receipt",
        "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put("/{order_id}/receipt", status_code=202, responses=documented(404, 422, 503))
async def request_receipt(order_id: IdentifierInPath, database: DatabaseDep) -> Receipt:
    """Request an order's receipt. Idempotent: a repeated request has an effect only if the rendering failed."""
    async with database.transaction() as connection:
        receipt = await receipt_book.request(connection, order_id)
        if receipt is not None:
            await queue.enqueue(connection, order_id)
            return receipt
        return await _found(connection, order_id, f"Order {order_id} does not exist.")


@router.get("/{order_id}/receipt", response_class=Response, responses=PDF | PENDING | documented(404, 409, 422, 503))
async def get_receipt(order_id: IdentifierInPath, database: DatabaseDep) -> Response:
    """The receipt as PDF, or 202 until it is rendered."""
    async with database.connection() as connection:
        receipt = await _found(connection, order_id, f"The receipt of order {order_id} has not been requested.")
        if receipt.status == "failed":
            raise ProblemError(409, "The receipt could not be rendered. PUT requests it again.")
        if receipt.status == "pending":
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            return JSONResponse(receipt.model_dump(mode="json"), 202, headers)
        document = await receipt_book.document(connection, order_id)
    headers = {"Last-Modified": format_datetime(document.rendered_at, usegmt=True)}
    return Response(document.content, media_type="application/pdf", headers=headers)


async def _found(connection: Connection, order_id: int, otherwise: str) -> Receipt:
    """The receipt. Raises ProblemError (404) if there is none."""
    receipt = await receipt_book.find(connection, order_id)
    if receipt is None:
        raise ProblemError(404, otherwise)
    return receipt
