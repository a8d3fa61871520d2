"""Orders against a real database: once per key, and never more than the stock."""

import asyncio
from collections import Counter

import asyncpg
import httpx2

from tests.polling import poll_until_async


async def add_product(client: httpx2.AsyncClient, stock: int) -> int:
    response = await client.post("/products", json={"name": "Anchor", "price_cents": 500, "stock": stock})
    assert response.status_code == 201, response.text
    return int(response.json()["id"])


async def place(
    client: httpx2.AsyncClient, key: str, product: int, quantity: int = 1, user: str = "ann"
) -> httpx2.Response:
    return await client.post(
        "/orders",
        headers={"Idempotency-Key": key, "X-User-Id": user},
        json={"lines": [{"product_id": product, "quantity": quantity}]},
    )


async def place_patiently(client: httpx2.AsyncClient, key: str, product: int) -> int:
    """Retry after each 503 with the same key, as a well-behaved client does. Returns the final status."""

    async def answer() -> int | None:
        response = await place(client, key, product)
        if response.status_code == 503:
            await asyncio.sleep(float(response.headers["Retry-After"]))
            return None
        return response.status_code

    status = await poll_until_async(answer, f"a response to order {key}", seconds=60)
    assert status is not None
    return status


async def test_an_order_reduces_the_stock(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=10)
    response = await place(client, "first", product, quantity=3)

    assert response.status_code == 201, response.text
    order = response.json()
    assert order["total_cents"] == 1500
    assert (await client.get(f"/orders/{order['id']}")).json() == order
    shelf = (await client.get(f"/products/{product}")).json()
    assert (shelf["stock"], shelf["stocked"]) == (7, 10)


async def test_the_same_key_and_body_return_the_same_order(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=10)
    first = await place(client, "again", product)
    second = await place(client, "again", product)

    assert second.status_code == 201
    assert second.json() == first.json()
    assert (first.headers.get("Idempotency-Replayed"), second.headers.get("Idempotency-Replayed")) == (None, "true")
    assert (await client.get(f"/products/{product}")).json()["stock"] == 9


async def test_the_same_key_with_another_body_is_rejected(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=10)
    await place(client, "reused", product, quantity=1)
    response = await place(client, "reused", product, quantity=2)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert "Idempotency-Key" in response.json()["detail"]


async def test_two_users_may_use_the_same_key(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=10)
    ann = await place(client, "shared", product, user="ann")
    bob = await place(client, "shared", product, user="bob")

    assert ann.json()["id"] != bob.json()["id"]


async def test_twenty_identical_orders_at_once_make_one_order(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=100)
    responses = await asyncio.gather(*(place(client, "twenty", product) for _ in range(20)))

    assert Counter(response.status_code for response in responses) == {201: 20}
    assert len({response.json()["id"] for response in responses}) == 1
    assert (await client.get(f"/products/{product}")).json()["stock"] == 99


async def test_five_hundred_orders_for_a_hundred_units_sell_exactly_a_hundred(
    client: httpx2.AsyncClient, database: str
) -> None:
    product = await add_product(client, stock=100)
    statuses = await asyncio.gather(*(place_patiently(client, f"rush-{n}", product) for n in range(500)))

    assert Counter(statuses) == {201: 100, 409: 400}
    connection = await asyncpg.connect(database)
    sold, left = await connection.fetchrow(
        "SELECT (SELECT sum(quantity) FROM order_lines WHERE product_id = $1), stock FROM products WHERE id = $1",
        product,
    )
    orders = await connection.fetchval("SELECT count(*) FROM orders")
    await connection.close()
    assert (sold, left, orders) == (100, 0, 100), "orders and stock do not match"


async def test_orders_of_the_same_products_in_any_sequence_never_deadlock(client: httpx2.AsyncClient) -> None:
    products = [await add_product(client, stock=1000) for _ in range(5)]

    async def order(number: int) -> int:
        chosen = products if number % 2 else products[::-1]
        lines = [{"product_id": product, "quantity": 1} for product in chosen]
        response = await client.post("/orders", headers={"Idempotency-Key": f"mix-{number}"}, json={"lines": lines})
        return response.status_code

    statuses = await asyncio.gather(*(order(number) for number in range(60)))
    assert Counter(statuses) == {201: 60}


async def test_the_pages_list_every_order_once(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=100)
    placed = [(await place(client, f"page-{n}", product)).json()["id"] for n in range(25)]

    seen: list[int] = []
    parameters: dict[str, int] = {"limit": 10}
    while True:
        page = (await client.get("/orders", params=parameters)).json()
        seen += [order["id"] for order in page["items"]]
        if page["next"] is None:
            break
        parameters["before"] = page["next"]
    assert seen == placed[::-1]


async def test_the_stream_delivers_new_orders(client: httpx2.AsyncClient) -> None:
    product = await add_product(client, stock=10)
    async with client.stream("GET", "/orders/stream") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 1000"
        order = (await place(client, "streamed", product)).json()
        async with asyncio.timeout(10):
            async for line in lines:
                if line == f"id: {order['id']}":
                    return
    raise AssertionError("the stream ended before the order came")
