"""Slow query: holds a database connection for a while, as a report does, with hardly any CPU in the service.

A pod runs as many at once as its pool has connections. Its capacity is pool size / seconds: 5 / 0.2 s = 25 per second.
The service has the route only with FAULTS_ENABLED=true.

    slow_query_seconds  duration of the query in seconds (0.2)
"""

from loadtest.parameters import Parameters
from loadtest.users.shopper import Shopper

SECONDS = Parameters(__doc__).text("slow_query_seconds")


class SlowQuery(Shopper):
    """A user whose requests wait for the database."""

    def act(self) -> None:
        """Request the query. Any response but 2xx is a failure."""
        self.get("/faults/slow-query?seconds={seconds}", seconds=SECONDS)
