"""Slow query: holds a connection to the database for a while, as a report does. Costs the service hardly any CPU.

A pod does as many at once as its pool has connections, so its capacity is pool size / seconds: 5 / 0.2 s = 25 a second.
The service has the route only with FAULTS_ENABLED=true.

    slow_query_seconds  how long the query takes (0.2)
"""

from loadtest.parameters import Parameters
from loadtest.users.shopper import Shopper

SECONDS = Parameters(__doc__).text("slow_query_seconds")


class SlowQuery(Shopper):
    """Somebody whose requests wait for the database."""

    def act(self) -> None:
        """Asks for the query. Fails where the answer is not 2xx."""
        self.get("/faults/slow-query?seconds={seconds}", seconds=SECONDS)
