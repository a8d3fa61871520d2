"""The base class of all request bodies."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A strictly validated body: neither `true` nor "1" is accepted as a number."""

    model_config = ConfigDict(strict=True)
