"""A locustfile for tests: one user sends one request of METHOD, and is done. RETRIES=on is the client as it comes."""

import json
import os

from geventhttpclient import client
from locust import LoadTestShape, User

AS_IT_COMES = client.IDEMPOTENT_METHODS

from loadtest.reporting import recorder  # noqa: E402 - the line above must see the module before it is changed
from loadtest.users.shopper import Shopper  # noqa: E402

assert recorder
if os.environ.get("LOAD_RETRIES") == "on":
    client.IDEMPOTENT_METHODS = AS_IT_COMES

REQUESTS = int(os.environ.get("LOAD_REQUESTS") or 1)


class Once(Shopper):
    """Sends LOAD_REQUESTS requests, LOAD_GAP seconds apart."""

    sent = 0

    def wait_time(self) -> float:
        return float(os.environ.get("LOAD_GAP") or 0)

    def act(self) -> None:
        if self.sent < REQUESTS:
            self.sent += 1
            method = os.environ.get("LOAD_METHOD") or "GET"
            self.send(method, "/orders/{order_id}", {"order_id": 7}, json.loads(os.environ.get("LOAD_BODY") or "null"))
        else:
            self.environment.runner.quit()


class Until(LoadTestShape):
    """One user; it ends the run itself."""

    def tick(self) -> tuple[int, float, list[type[User]]] | None:
        return 1, 1, [Once]
