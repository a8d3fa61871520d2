"""A local HTTP server that stores the bodies it receives: a stand-in for the collector and for Sentry."""

import base64
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import brotli
from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

# Sentry's client uses brotli if it is installed.
UNPACK: dict[str | None, Callable[[bytes], bytes]] = {None: bytes, "gzip": gzip.decompress, "br": brotli.decompress}


class Receiver:
    """Use it as a context manager. `bodies` holds the path and the decompressed body of each POST."""

    def __init__(self, port: int = 0) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.bodies.append((self.path, UNPACK[self.headers.get("Content-Encoding")](body)))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Receiver":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> Iterator[Span]:
        """Every span received so far."""
        for batch in self._batches():
            for scope in batch.scope_spans:
                yield from scope.spans

    def resources(self) -> list[dict[str, str]]:
        """The resource attributes of each batch received so far."""
        return [
            {attribute.key: attribute.value.string_value for attribute in batch.resource.attributes}
            for batch in self._batches()
        ]

    def _batches(self) -> Iterator[ResourceSpans]:
        for path, body in list(self.bodies):
            if path == "/v1/traces":
                yield from _read(body).resource_spans


def _read(body: bytes) -> ExportTraceServiceRequest:
    """OTLP in either form; its JSON writes identifiers as hexadecimal digits, protobuf's own as base64."""
    request = ExportTraceServiceRequest()
    if not body.startswith(b"{"):
        request.ParseFromString(body)
        return request

    def in_base64(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        coded = {"traceId", "spanId", "parentSpanId"}
        return {key: base64.b64encode(bytes.fromhex(it)).decode() if key in coded else it for key, it in pairs}

    json_format.ParseDict(json.loads(body, object_pairs_hook=in_base64), request)
    return request
