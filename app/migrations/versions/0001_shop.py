"""Add products, orders and order lines."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("""
        CREATE TABLE products (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name text NOT NULL,
            price_cents integer NOT NULL CHECK (price_cents >= 0),
            stock integer NOT NULL CHECK (stock >= 0),
            stocked integer NOT NULL CHECK (stocked >= stock)
        )
    """)
    op.execute("""
        CREATE TABLE orders (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer text NOT NULL,
            idempotency_key text NOT NULL,
            body_hash bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(),
            UNIQUE (customer, idempotency_key)
        )
    """)
    op.execute("""
        CREATE TABLE order_lines (
            order_id bigint NOT NULL REFERENCES orders,
            product_id bigint NOT NULL REFERENCES products,
            quantity integer NOT NULL CHECK (quantity > 0),
            unit_price_cents integer NOT NULL,
            PRIMARY KEY (order_id, product_id)
        )
    """)
