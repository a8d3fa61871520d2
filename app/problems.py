"""Errors as RFC 9457 problem details, in responses and in the OpenAPI document."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from app.database import DatabaseUnavailableError

MEDIA_TYPE = "application/problem+json"
# The pool rejects after 2 s, and a restarted Postgres is back within seconds. An earlier retry only adds to the queue.
RETRY_AFTER_SECONDS = 1


class Problem(BaseModel):
    """RFC 9457 problem details. Additional members hold specifics, such as the invalid fields."""

    model_config = ConfigDict(extra="allow")

    type: str = Field("about:blank", description="URI of the problem type")
    title: str = Field(description="the HTTP reason phrase")
    status: int = Field(description="the HTTP status code")
    detail: str = Field(description="explanation of this occurrence")


class ProblemError(Exception):
    """Raise it to answer with problem details. `members` are additional members of the document."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = members


def problem_response(status: int, detail: str, headers: dict[str, str] | None = None, **members: Any) -> JSONResponse:
    """A response with problem details. A 503 always has a `Retry-After` header."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **members)
    headers = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    return JSONResponse(problem.model_dump(mode="json"), status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` argument of a route that may return these statuses."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install_handlers(app: FastAPI) -> None:
    """Turn every expected exception into problem details. app.middleware.unhandled_errors handles the others."""
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DatabaseUnavailableError, _on_database_unavailable)


async def _on_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ProblemError)  # noqa: S101 - Starlette selects the handler by the class
    return problem_response(error.status, error.detail, **error.members)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        headers["Allow"] = ", ".join(methods)
    return problem_response(error.status_code, str(error.detail), headers=headers)


def _methods(request: Request) -> list[str]:
    """All methods of the resource (RFC 9110, section 15.5.6). Starlette lists those of one matching route only."""
    paths = request.app.openapi()["paths"].items()
    found = [operations for template, operations in paths if compile_path(template)[0].match(request.url.path)]
    return sorted({method.upper() for operations in found for method in operations})


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    errors = [{"where": [str(part) for part in fault["loc"]], "what": fault["msg"]} for fault in error.errors()]
    return problem_response(422, "The request is not valid.", errors=errors)


async def _on_database_unavailable(_request: Request, _error: Exception) -> JSONResponse:
    return problem_response(503, "The database is temporarily unavailable.")
