"""The signals that a request must leave behind on every platform, and the clients that check them."""
