"""What must arrive of a request, on every platform: one table, and the eyes to see it."""
