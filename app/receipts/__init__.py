"""Receipts: requested over HTTP, rendered by workers from a queue in the database (`python -m app.receipts`)."""
