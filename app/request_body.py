"""What every request body has in common."""

from pydantic import BaseModel, ConfigDict


class RequestBody(BaseModel):
    """A body taken at its word: `true` is no number, and "1" is none either."""

    model_config = ConfigDict(strict=True)
