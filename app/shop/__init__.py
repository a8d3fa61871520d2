"""The shop: products with stock, and orders that reduce it."""
