"""Logs: one event a line, on standard error or in a file, with whose run it is; what has no place there is masked.

Ours come from structlog, those of libraries from the standard ``logging``; both pass the same processors. JSON where a
machine reads, columns where a person does.
"""

import logging
import logging.handlers
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, TextIO
from uuid import uuid4

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.redaction import MASK, redacted
from schemas.errors import WrongUseError

__all__ = [
    "MASK",
    "LogUnusableError",
    "asked_for",
    "bind_run",
    "command_logged",
    "configure_logs",
    "job_bound",
    "redact",
    "run_id",
]

LOG_VARIABLE: Final = "CENTRALPAY_LOG"
"""``json`` or ``text``: how to write, and that every command is to say when it begins and ends."""
FILE_VARIABLE: Final = "CENTRALPAY_LOG_FILE"
"""A file that takes the log in place of standard error; the same."""


class LogUnusableError(WrongUseError):
    """The file that the log is to go to can not be written."""

    def __init__(self, path: Path, reason: str) -> None:
        self.path = path
        super().__init__(f"{FILE_VARIABLE}: {path}: {reason}")


def asked_for() -> bool:
    """Say whether somebody reads the log: then each command says in it when it begins and ends."""
    return bool(os.environ.get(LOG_VARIABLE) or os.environ.get(FILE_VARIABLE))


def configure_logs(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all logs of the process to a stream, or to the file that is set; can be called again.

    JSON is written when the stream is no terminal, or when ``CENTRALPAY_LOG`` is ``json``; ``text`` asks for columns.

    Args:
        level: the least level of ours; libraries speak from WARNING on.
        stream: standard error when None, unless ``CENTRALPAY_LOG_FILE`` names a file.

    Raises:
        LogUnusableError: the file can not be written.
    """
    file = os.environ.get(FILE_VARIABLE)
    target = stream or (None if file else sys.stderr)
    handler = _file_handler(Path(file or "").expanduser()) if target is None else logging.StreamHandler(target)
    is_terminal = target is not None and target.isatty()
    wanted = os.environ.get(LOG_VARIABLE, "").lower()
    as_json = wanted == "json" or (wanted != "text" and not is_terminal)
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    last: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=is_terminal, sort_keys=False)
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    for old in root.handlers:
        if isinstance(old, logging.FileHandler):
            old.close()
    root.handlers[:] = [handler]
    logging.raiseExceptions = False  # a line that can not be formatted would be shown with its arguments
    root.setLevel(logging.WARNING)
    logging.getLogger("centralpay").setLevel(level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *common, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=_our_logger,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def bind_run(run_id: str, user: str | None) -> None:
    """Put the run's id and who acts on every line that this context writes from now on."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(run_id=run_id, user=user)


@contextmanager
def job_bound(user: str, job: str, scheduled_for: datetime) -> Iterator[None]:
    """Put a run's own id, who acts, the job and its moment on every line while the block runs, and no longer."""
    facts = {"run_id": uuid4().hex, "user": user, "job": job, "scheduled_for": scheduled_for.isoformat()}
    with structlog.contextvars.bound_contextvars(**facts):
        yield


@contextmanager
def command_logged(name: Callable[[], str], code_of: Callable[[BaseException | None], int]) -> Iterator[None]:
    """Say in the log, where somebody reads it, that a command begins and how it ended; never with its arguments.

    Args:
        name: gives the command's, such as ``cycle release``.
        code_of: gives the exit code of an error of ours.

    Raises:
        LogUnusableError: the file for the log can not be written.
    """
    if not asked_for():
        yield
        return
    configure_logs()
    run_id, log, began = uuid4().hex, structlog.get_logger("command"), time.monotonic()
    bind_run(run_id, None)
    log.info("command begins", command=name())
    ended: BaseException | None = None
    try:
        yield
    except BaseException as error:
        ended = error
        raise
    finally:
        user = structlog.contextvars.get_contextvars().get("user")
        bind_run(run_id, user)
        facts = {} if ended is None or isinstance(ended, SystemExit) else {"error": type(ended).__name__}
        duration_s = round(time.monotonic() - began, 3)
        code = _code(ended) if ended is None or isinstance(ended, SystemExit) else int(code_of(ended))
        log.info("command ends", command=name(), exit_code=code, duration_s=duration_s, **facts)
        structlog.contextvars.clear_contextvars()


def _code(ended: SystemExit | None) -> int:
    code = None if ended is None else ended.code
    return code if isinstance(code, int) else int(code is not None)


def run_id() -> str:
    """Give the id of the run that this context is in, or a new one."""
    bound = structlog.contextvars.get_contextvars().get("run_id")
    return bound if isinstance(bound, str) else uuid4().hex


def redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Mask keys, passwords, the numbers of accounts and persons, and patients, wherever in the event they are."""
    del logger, name
    return {key: value if key.startswith("_") else redacted(key, value) for key, value in event.items()}


class _PrivateFile(logging.handlers.WatchedFileHandler):
    """A log file that only its owner reads, and that is begun anew when the system has moved it away."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", line_buffering=True)


def _file_handler(path: Path) -> logging.Handler:
    try:
        return _PrivateFile(path, encoding="utf-8")
    except OSError as error:
        raise LogUnusableError(path, error.strerror or type(error).__name__) from error


def _our_logger(*names: Any) -> logging.Logger:  # noqa: ANN401 (structlog's signature)
    return logging.getLogger(".".join(("centralpay", *(str(name) for name in names))))
