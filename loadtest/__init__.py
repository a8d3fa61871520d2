"""The locust users of the shop and their load shapes. Only locust imports this package."""
