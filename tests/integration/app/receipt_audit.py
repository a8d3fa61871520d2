"""The receipt audit: every requested receipt must be rendered exactly once."""

from typing import NamedTuple

from tests.integration.app.postgres import run_sql

# A trigger records every written document, independently of the workers.
WITNESS = [
    "CREATE TABLE written (order_id bigint NOT NULL)",
    """
    CREATE FUNCTION note_written() RETURNS trigger AS $$
    BEGIN
        INSERT INTO written VALUES (NEW.order_id);
        RETURN NULL;
    END;
    $$ LANGUAGE plpgsql
    """,
    """
    CREATE TRIGGER note_written AFTER UPDATE OF document ON receipts
    FOR EACH ROW WHEN (NEW.document IS NOT NULL) EXECUTE FUNCTION note_written()
    """,
]
ACCOUNT = """
    SELECT count(*) AS enqueued,
           count(*) FILTER (WHERE rendered_at IS NOT NULL) AS rendered,
           count(*) FILTER (WHERE failed_at IS NOT NULL) AS failed,
           count(*) FILTER (WHERE rendered_at IS NULL AND failed_at IS NULL AND NOT EXISTS (
               SELECT FROM pgqueuer WHERE payload = convert_to(order_id::text, 'UTF8'))) AS lost,
           (SELECT count(*) - count(DISTINCT order_id) FROM written) AS repeated,
           (SELECT count(*) FROM pgqueuer) AS in_queue
    FROM receipts
"""


class Account(NamedTuple):
    """Receipts by result. `lost`: neither rendered nor queued. `repeated`: documents written more than once."""

    enqueued: int
    rendered: int
    failed: int
    lost: int
    repeated: int
    in_queue: int


def install_witness(dsn: str) -> None:
    """Install the trigger that records every document written from now on."""
    for statement in WITNESS:
        run_sql(dsn, statement)


def audit(dsn: str) -> Account:
    return Account(*run_sql(dsn, ACCOUNT)[0])


def add_orders(dsn: str, count: int) -> list[int]:
    """Add orders of one line each and return their IDs."""
    rows = run_sql(
        dsn,
        f"""
        WITH placed AS (
            INSERT INTO orders (customer, idempotency_key, body_hash)
            SELECT 'audit', number::text, '' FROM generate_series(1, {count}) AS number RETURNING id
        )
        INSERT INTO order_lines (order_id, product_id, quantity, unit_price_cents)
        SELECT id, 1, 2, 18900 FROM placed RETURNING order_id
        """,  # noqa: S608 - of a number
    )
    return [row["order_id"] for row in rows]
