"""A test double of Grafana: an HTTP server on 127.0.0.1 that adds fields to a dashboard at every save."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

# The fields that a save adds to every panel.
ADDED_TO_PANELS = {"pluginVersion": "13.1.4", "transparent": False}
ADDED_TO_DASHBOARD = {
    "editable": True,
    "fiscalYearStartMonth": 0,
    "timepicker": {},
    "timezone": "browser",
    "weekStart": "",
}


@dataclass
class GrafanaDouble:
    """Its dashboards by uid, and the folder of each. A save drops the fields in `forgetful` from panels."""

    url: str = ""
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    forgetful: set[str] = field(default_factory=set)
    saves: int = 0
    annotations: list[dict[str, Any]] = field(default_factory=list)
    refuses_annotations: bool = False

    def keep(self, dashboard: dict[str, Any], folder: str = "") -> None:
        """Saves `dashboard` in the same way as Grafana."""
        self.saves += 1
        uid = dashboard["uid"]
        version = self.dashboards.get(uid, {}).get("version", 0) + 1
        panels = [
            {**ADDED_TO_PANELS, **{key: value for key, value in panel.items() if key not in self.forgetful}}
            for panel in dashboard.get("panels", [])
        ]
        self.dashboards[uid] = {**ADDED_TO_DASHBOARD, **dashboard, "id": 100, "version": version, "panels": panels}
        self.folders[uid] = folder

    def panel(self, uid: str, number: int) -> dict[str, Any]:
        """The panel with the id `number`, for the test to change in place."""
        found: dict[str, Any] = next(panel for panel in self.dashboards[uid]["panels"] if panel["id"] == number)
        return found

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """The response to a GET."""
        if path == "/api/search":
            return 200, [
                {"uid": uid, "title": kept["title"], "type": "dash-db", "tags": kept.get("tags", [])}
                for uid, kept in self.dashboards.items()
                if set(query.get("tag", [])) <= set(kept.get("tags", []))
            ]
        uid = path.removeprefix("/api/dashboards/uid/")
        if uid in self.dashboards:
            return 200, {"dashboard": self.dashboards[uid], "meta": {"folderUid": self.folders[uid]}}
        return 404, {"message": "Dashboard not found"}

    def save(self, body: dict[str, Any]) -> tuple[int, Any]:
        """The response to a POST to /api/dashboards/db."""
        if not body.get("overwrite") and body["dashboard"]["uid"] in self.dashboards:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        if not body["dashboard"].get("title"):
            return 400, {"message": "Dashboard title cannot be empty"}
        self.keep(body["dashboard"], body.get("folderUid", ""))
        return 200, {"status": "success", "uid": body["dashboard"]["uid"]}

    def annotate(self, body: dict[str, Any]) -> tuple[int, Any]:
        """The response to a POST to /api/annotations, as documented, with times in milliseconds."""
        if self.refuses_annotations:
            return 403, {"message": "You'll need additional permissions to perform this action."}
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation: text field should not be empty"}
        self.annotations.append(body)
        return 200, {"message": "Annotation added", "id": len(self.annotations)}


@contextmanager
def serving() -> Iterator[GrafanaDouble]:
    """A server that runs until the end of the block."""
    double = GrafanaDouble()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlparse(self.path)
            self._answer(*double.answer(url.path, parse_qs(url.query)))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(*(double.annotate(body) if self.path == "/api/annotations" else double.save(body)))

        def _answer(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
