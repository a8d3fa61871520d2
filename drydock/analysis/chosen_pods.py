"""The pod that each request was sent to."""

from collections.abc import Sequence

from drydock.requests.records import Record
from drydock.timeline.routes import Route, Routes


class ChosenPods:
    """Finds the pod of a request: by its response, an earlier response on its connection, or the connection's route."""

    def __init__(self, records: Sequence[Record], routes: Sequence[Route]) -> None:
        self._routes = Routes(routes)
        self._answered = {record.connection: record.pod for record in records if record.connection and record.pod}
        opened = (record for record in records if record.connection and record.position == 0)
        self._opened = {record.connection: record.started for record in opened}

    def of(self, record: Record) -> str:
        """The name of the pod; empty if it was not observed."""
        if pod := record.pod or self._answered.get(record.connection, ""):
            return pod
        route = self._route(record)
        return route.pod if route else ""

    def refused(self, record: Record) -> bool:
        """Whether the pod refused the connection, which the client of the local router sees as a reset."""
        route = self._route(record)
        return route is not None and route.refused

    def _route(self, record: Record) -> Route | None:
        opened = self._opened.get(record.connection, record.started)
        return self._routes.near(record.port, opened) if record.port else None
