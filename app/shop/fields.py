"""Shared field types of requests. Each accepts only values that the database can store."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import Field

BIGINT = 2**63 - 1
INTEGER = 2**31 - 1

Identifier = Annotated[int, Field(ge=1, le=BIGINT)]
IdentifierInPath = Annotated[int, Path(ge=1, le=BIGINT)]
PageSize = Annotated[int, Query(ge=1, le=200, description="the maximum number of items to return")]
