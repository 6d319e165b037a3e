"""``/healthz``, ``/livez`` and ``/metrics`` on the loopback interface, for what watches over the installation.

The answers hold counts, cents, ages and words of our own: no secret, no member, no patient. Nothing is read from a
request but its path.
"""

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import structlog
from sqlalchemy import Connection

from app.database import SchemaStatus, schema_status
from app.running import checks, metrics
from app.running.checks import Health
from app.running.figures import Figures, bound, figures
from app.scheduler.inbox import Inbox
from app.scheduler.jobs import declared
from app.scheduler.runner import Runner
from app.session import Session
from payouts.jobs.due import overdue_since
from schemas.errors import CentralpayError, WrongUseError

LOOPBACK: Final = "127.0.0.1"
_FRESH_S: Final = 5.0
_LONGEST_LINE: Final = 1024
_MOST_AT_ONCE: Final = 8
_POLL_S: Final = 0.1

_LOG = structlog.get_logger("running")


class Watch:
    """Looks at an installation, and remembers what it saw for some seconds: many may ask at once.

    Args:
        session: an open one; it is only read from.
    """

    def __init__(self, session: Session) -> None:
        self._session = session = replace(session, reading=partial(_bounded, session))
        # Never run by us: it knows what each job lacks.
        self._runner = Runner(session, declared(session, Inbox(session.settings.inbox_dir)))
        self._lock = threading.Lock()
        self._until = 0.0
        self._schema: SchemaStatus | None = None
        self._figures: Figures | None = None

    def figures(self) -> Figures | None:
        """Give the figures, at most a few seconds old; None while they can not be read."""
        with self._lock:
            self._look()
            return self._figures

    def health(self) -> Health:
        """Judge what is seen."""
        try:
            free = shutil.disk_usage(self._session.settings.home).free
        except OSError:  # the disk is gone
            free = 0
        with self._lock:
            self._look()
            return checks.health(self._session.now, self._schema, self._figures, free)

    def _look(self) -> None:
        if time.monotonic() < self._until:
            return
        self._schema = self._figures = None
        try:
            with self._session.reading() as connection:
                self._schema = schema_status(connection)
            if not self._schema.pending:
                # Asked before the snapshot is taken: a run that begins in between makes nothing look late.
                overdue = overdue_since(self._runner.waiting().values())
                with self._session.reading() as connection:
                    self._figures = figures(connection, self._session.now, overdue)
        except CentralpayError as error:
            _LOG.warning("the installation can not be looked at", error=type(error).__name__)
        self._until = time.monotonic() + _FRESH_S


@contextmanager
def _bounded(session: Session) -> Iterator[Connection]:
    """Read as the session does; nothing that is asked there may wait or take for long."""
    with session.reading() as connection:
        bound(connection)
        yield connection


@contextmanager
def serving(session: Session, port: int) -> Iterator[int]:
    """Serve ``/metrics``, ``/healthz`` and ``/livez`` on 127.0.0.1 while the block runs; gives the port.

    Args:
        session: an open one; it is only read from.
        port: 0 picks a free one.

    Raises:
        WrongUseError: the port can not be had.
    """
    try:
        server = _Server(Watch(session), port)
    except (OSError, OverflowError) as error:
        said = getattr(error, "strerror", None) or "there is no such port"
        raise WrongUseError(f"Port {port} of {LOOPBACK} can not be had: {said}") from error
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name="health", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """A server for a handful of readers; who comes beyond them is told to come again."""

    daemon_threads = True
    block_on_close = False  # a reader that hangs is given up by its own timeout, and never holds the end back
    request_queue_size = _MOST_AT_ONCE

    def __init__(self, watch: Watch, port: int) -> None:
        self.watch = watch
        self.registry = metrics.registry(watch.figures)
        self._free = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._context = copy_context()
        super().__init__((LOOPBACK, port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the library's own signature)
        """Take a request, unless as many as may are being answered."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        with suppress(OSError):
            request.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as above)
        """Answer it."""
        try:
            # A thread begins with nothing; what it logs belongs to the run that serves.
            self._context.copy().run(super().process_request_thread, request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as above)
        """Say that an answer failed, without what was asked and by whom."""
        del request, client_address
        _LOG.warning("a reader of the health page was not answered", error=type(sys.exception()).__name__)


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for three paths."""

    server: _Server
    raw_requestline: bytes
    timeout = 5.0
    rbufsize = 4096

    def parse_request(self) -> bool:
        """Take a short GET that is meant for us, and nothing else."""
        self.close_connection = True
        if len(self.raw_requestline) > _LONGEST_LINE:
            self.requestline, self.request_version, self.command = "", "HTTP/1.0", ""
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return False
        if not super().parse_request():
            return False
        self.close_connection = True
        if self.command != "GET":
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED)
            return False
        # A page in somebody's browser can give its own name our address; it can not give itself ours.
        host = self.headers.get("Host", LOOPBACK).rpartition(":")
        if (host[0] or host[2]) not in (LOOPBACK, "localhost"):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return False
        return True

    def do_GET(self) -> None:
        """Answer."""
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.page(self.server.registry))
        elif self.path == "/healthz":
            seen = self.server.watch.health()
            body = json.dumps(health_json(seen)).encode() + b"\n"
            self._answer(HTTPStatus.OK if seen.ok else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body)
        elif self.path == "/livez":
            self._answer(HTTPStatus.OK, "text/plain", b"alive\n")
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with the words for a status; nothing of the request is repeated."""
        del message, explain
        self._answer(HTTPStatus(code), "text/plain", HTTPStatus(code).phrase.encode() + b"\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.close_connection = True
        self.send_response(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET")
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            ("Connection", "close"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """Say who answers, not with which release of what."""
        return "centralpay"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 (the library's own signature)
        """Say nothing: what is asked is of no interest, and comes from outside."""


def health_json(seen: Health) -> dict[str, object]:
    """Give what was seen as one document."""
    return {"ok": seen.ok, **seen.model_dump(mode="json")}
