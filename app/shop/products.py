"""Products and their stock."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from app.database import DatabaseDep
from app.problems import ProblemError, documented
from app.request_body import RequestBody
from app.shop.fields import BIGINT, INTEGER, Identifier, IdentifierInPath, PageSize

router = APIRouter(prefix="/products", tags=["products"])


class NewProduct(RequestBody):
    """A product to add."""

    # PostgreSQL's text type stores every character but NUL.
    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00]+$")
    price_cents: int = Field(ge=0, le=INTEGER)
    stock: int = Field(ge=0, le=INTEGER, description="initial number of units")


class Product(BaseModel):
    """A product. `stocked - stock` units have been sold; an audit compares that with the orders."""

    id: Identifier
    name: str
    price_cents: int
    stock: int = Field(description="units left")
    stocked: int = Field(description="units ever added")


class ProductPage(BaseModel):
    """A page of products, by ascending ID."""

    items: list[Product]
    next: int | None = Field(description="the `after` of the next page; null on the last page")


@router.post("", status_code=201, responses=documented(400, 422, 503))
async def add_product(new: NewProduct, database: DatabaseDep) -> Product:
    """Add a product."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "INSERT INTO products (name, price_cents, stock, stocked) VALUES ($1, $2, $3, $3) RETURNING *",
            new.name,
            new.price_cents,
            new.stock,
        )
    return Product.model_validate(dict(row))


@router.get("", responses=documented(422, 503))
async def list_products(
    database: DatabaseDep, limit: PageSize = 50, after: Annotated[int, Query(ge=0, le=BIGINT)] = 0
) -> ProductPage:
    """List the products by ascending ID, one page at a time."""
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM products WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
    items = [Product.model_validate(dict(row)) for row in rows]
    return ProductPage(items=items, next=items[-1].id if len(items) == limit else None)


@router.get("/{product_id}", responses=documented(404, 422, 503))
async def get_product(product_id: IdentifierInPath, database: DatabaseDep) -> Product:
    """Get one product with its stock."""
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM products WHERE id = $1", product_id)
    if row is None:
        raise ProblemError(404, f"Product {product_id} does not exist.")
    return Product.model_validate(dict(row))
