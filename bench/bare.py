"""The baseline: the same routes in bare FastAPI, without drain, logs, metrics, traces or error handling."""

import contextlib
import os
from collections.abc import AsyncIterator

import asyncpg
from fastapi import FastAPI
from pydantic import BaseModel


class Product(BaseModel):
    """The response model of the service."""

    id: int
    name: str
    price_cents: int
    stock: int
    stocked: int


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """A pool of the service's size, otherwise with asyncpg's defaults."""
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=5, max_size=5) as app.state.pool:
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/health/live")
async def live() -> dict[str, str]:
    """Respond without the database."""
    return {"status": "live"}


@app.get("/products/{product_id}")
async def get_product(product_id: int) -> Product:
    """Respond after one statement."""
    row = await app.state.pool.fetchrow("SELECT * FROM products WHERE id = $1", product_id)
    return Product.model_validate(dict(row))
