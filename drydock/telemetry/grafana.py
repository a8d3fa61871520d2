"""Grafana's HTTP API, as far as dashboards and the marks on them need it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

import httpx2

from drydock.core.errors import CannotRunError, FailedError

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class Stored:
    """A dashboard as Grafana keeps it, and the folder it is in; the root folder has no uid."""

    dashboard: dict[str, Any]
    folder_uid: str = ""


class Grafana:
    """The Grafana at `url`, which asks for no login.

    Every method raises CannotRunError where it does not answer, and FailedError where it refuses.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=TIMEOUT_SECONDS, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close()

    def tagged(self, tag: str) -> list[str]:
        """The uids of the dashboards that carry `tag`, in alphabetical order."""
        found = self._json("GET", "/api/search", params={"type": "dash-db", "tag": tag, "limit": 5000})
        return sorted(entry["uid"] for entry in found if tag in entry.get("tags", []))

    def dashboard(self, uid: str) -> Stored | None:
        """The dashboard `uid`, or None where Grafana has none."""
        response = self._send("GET", f"/api/dashboards/uid/{uid}")
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        body = self._read(response)
        return Stored(body["dashboard"], body.get("meta", {}).get("folderUid", ""))

    def save(self, stored: Stored, message: str) -> None:
        """Puts a dashboard in the place of the one with its uid; `message` goes to its history."""
        payload = {"dashboard": {**stored.dashboard, "id": None}, "overwrite": True, "message": message}
        if stored.folder_uid:
            payload["folderUid"] = stored.folder_uid
        self._json("POST", "/api/dashboards/db", json=payload)

    def annotate(self, text: str, tags: Sequence[str], began: float, ended: float | None = None) -> None:
        """Marks the time `began`, or the range up to `ended` (Unix seconds), on all dashboards that show `tags`.

        https://grafana.com/docs/grafana/latest/developers/http_api/annotations/: its times are milliseconds.
        """
        payload = {"text": text, "tags": list(tags), "time": round(began * 1000)}
        if ended is not None:
            payload["timeEnd"] = round(ended * 1000)
        self._json("POST", "/api/annotations", json=payload)

    def _json(self, method: str, path: str, **arguments: Any) -> Any:
        return self._read(self._send(method, path, **arguments))

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        with self._reachable():
            return self._client.request(method, path, **arguments)

    def _read(self, response: httpx2.Response) -> Any:
        """The body of an answer that is well."""
        if response.is_success:
            return response.json()
        request = f"{response.request.method} {response.request.url.path}"
        reason = f"Grafana at {self.url} refused {request}: {response.status_code} {response.text[:300]}"
        raise FailedError(reason, "Look into its log.")

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except httpx2.HTTPError as error:
            remedy = "Start it with `drydock up`, or choose another one with --platform."
            raise CannotRunError(f"Grafana at {self.url} does not answer: {error}", remedy) from error
