"""Add a first catalogue, so that a new shop can take orders."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    # A million units each: a day of load tests does not exhaust the stock.
    op.execute("""
        INSERT INTO products (name, price_cents, stock, stocked)
        SELECT name, price_cents, 1000000, 1000000
        FROM (VALUES
            ('Sextant', 18900), ('Brass compass', 7450), ('Signal lamp', 12900), ('Sea chart', 2150),
            ('Mooring line', 3999), ('Caulking iron', 1675), ('Oilskin coat', 15500), ('Tide table', 850)
        ) AS catalogue (name, price_cents)
    """)
