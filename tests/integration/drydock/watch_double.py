"""A test double of the API server on 127.0.0.1: lists, watches and logs of pods, with failures on demand."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import yaml

GONE = {"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old resource version"}


@dataclass
class WatchDouble:
    """Its pods and the log of their changes. Every other kind is an empty list."""

    url: str = ""
    pods: dict[str, Any] = field(default_factory=dict)
    lists: int = 0
    watches: int = 0
    refuse: bool = False
    logs: dict[str, list[str]] = field(default_factory=dict)
    followed: int = 0
    following: int = 0
    _version: int = 100
    _oldest: int = 0
    _log: list[tuple[int, str, Any]] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _streams: list[socket.socket] = field(default_factory=list)
    _epoch: int = 0
    _raw: bytes = b""

    def put(self, name: str, node: str = "", owner: str = "", *, ready: bool = False, ending: bool = False) -> None:
        """Creates or changes a pod. With `owner`, its ReplicaSet, the pod is running."""
        with self._news:
            self._version += 1
            kind = "MODIFIED" if name in self.pods else "ADDED"
            meta: dict[str, Any] = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(self._version)}
            status: dict[str, Any] = {}
            if owner:
                meta |= {"ownerReferences": [{"name": owner}]}
                conditions = [{"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}]
                status = {"phase": "Running", "conditions": conditions}
            if ending:
                meta |= {"deletionTimestamp": "2026-01-01T00:00:30Z", "deletionGracePeriodSeconds": 30}
            self.pods[name] = {"metadata": meta, "spec": {"nodeName": node}, "status": status}
            self._publish(kind, self.pods[name])

    def delete(self, name: str) -> None:
        """Removes a pod."""
        with self._news:
            self._version += 1
            removed = self.pods.pop(name)
            removed["metadata"]["resourceVersion"] = str(self._version)
            self._publish("DELETED", removed)

    def bookmark(self) -> None:
        """Sends a BOOKMARK to every watch."""
        with self._news:
            self._version += 1
            self._publish("BOOKMARK", {"metadata": {"resourceVersion": str(self._version)}})

    def message(self, raw: bytes) -> None:
        """Sends a raw line to every watch of pods."""
        with self._news:
            self._raw = raw
            self._news.notify_all()

    def close(self) -> None:
        """Ends every watch in good order."""
        with self._news:
            self._epoch += 1
            self._news.notify_all()

    def cut(self) -> None:
        """Breaks the connection of every watch."""
        for stream in self._streams:
            stream.shutdown(socket.SHUT_RDWR)
        self.close()

    def forget(self) -> None:
        """Answers every later watch from an earlier version with 410 Gone."""
        with self._news:
            self._version += 1
            self._oldest = self._version
            self._log.clear()

    def log(self, name: str, line: str) -> None:
        """Appends a line to a pod's log."""
        with self._news:
            self.logs.setdefault(name, []).append(line)
            self._news.notify_all()

    def read(self, name: str, *, follow: bool) -> Iterator[bytes]:
        """The lines of a pod's log; with `follow`, also the lines to come, until the stream is closed."""
        if not follow:
            yield from (line.encode() for line in self.logs.get(name, []))
            return
        epoch, sent = self._epoch, 0
        while self._epoch == epoch:
            with self._news:
                lines = self.logs.get(name, [])[sent:]
                if not lines:
                    self._news.wait(0.2)
            sent += len(lines)
            yield from (line.encode() for line in lines)

    def _publish(self, kind: str, item: Any) -> None:
        self._log.append((self._version, kind, json.loads(json.dumps(item))))
        self._news.notify_all()

    def stream(self, since: int) -> Iterator[bytes]:
        """The lines of a watch until it is closed."""
        epoch = self._epoch
        if since < self._oldest:
            yield json.dumps({"type": "ERROR", "object": GONE}).encode()
            return
        while True:
            with self._news:
                lines = [
                    json.dumps({"type": kind, "object": item}).encode() for v, kind, item in self._log if v > since
                ]
                since = max([since, *(version for version, _, _ in self._log)])
                lines, self._raw = [*lines, *filter(None, [self._raw])], b""
            yield from lines
            with self._news:
                if self._epoch != epoch:
                    return
                if not self._raw and not any(version > since for version, _, _ in self._log):
                    self._news.wait(0.2)


@contextmanager
def serving() -> Iterator[WatchDouble]:
    """A server that runs until the end of the block."""
    double = WatchDouble()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlparse(self.path)
            query = parse_qs(url.query)
            if double.refuse:
                self._whole(503, {"kind": "Status", "code": 503, "message": "away"})
            elif url.path.endswith("/log"):
                self._log(url.path.split("/")[-2], follow=query.get("follow") == ["true"])
            elif "watch" in query:
                since = int(query.get("resourceVersion", ["0"])[0])
                self._stream(since, pods=url.path.endswith("/pods"))
            else:
                self._list(url.path)

        def _log(self, name: str, *, follow: bool) -> None:
            double.followed += follow
            double.following += follow
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            double._streams.append(self.connection)
            try:
                for line in double.read(name, follow=follow):
                    self.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
            finally:
                double.following -= follow
                double._streams.remove(self.connection)

        def _list(self, path: str) -> None:
            pods = path.endswith("/pods")
            double.lists += pods
            items = list(double.pods.values()) if pods else []
            self._whole(200, {"metadata": {"resourceVersion": str(double._version)}, "items": items})

        def _stream(self, since: int, *, pods: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            double.watches += pods
            if pods:
                double._streams.append(self.connection)
            try:
                for line in double.stream(since) if pods else _silence(double):
                    self.wfile.write(b"%x\r\n%s\n\r\n" % (len(line) + 1, line))
                self.wfile.write(b"0\r\n\r\n")
            except OSError:
                self.close_connection = True
            finally:
                if pods:
                    double._streams.remove(self.connection)

        def _whole(self, status: int, body: Any) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name is the base class's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    double.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        double.close()
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(folder: Path, url: str) -> Path:
    """A kubeconfig that points at the server at `url`, under the name of drydock's cluster."""
    name = "kind-drydock"
    path = folder / "kubeconfig"
    content = {
        "current-context": name,
        "clusters": [{"name": name, "cluster": {"server": url}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "users": [{"name": name, "user": {"token": "none"}}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def _silence(double: WatchDouble) -> Iterator[bytes]:
    """The lines of a watch of a kind without objects: none until it is closed."""
    epoch = double._epoch
    with double._news:
        double._news.wait_for(lambda: double._epoch != epoch)
    yield from ()
