"""Logs: one event a line, on standard error only, with whose run it is and without what has no place in a log.

Ours come from structlog, those of libraries from the standard ``logging``; both pass the same processors. JSON where a
machine reads, columns where a person does.
"""

import logging
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK: Final = "***"

_SECRET_KEY: Final = re.compile(r"key|secret|password|passwd|token|authorization|dsn|conninfo", re.IGNORECASE)
_NUMBER_KEY: Final = re.compile(r"account|routing|\biban\b|\btin\b", re.IGNORECASE)
_LONG_NUMBER: Final = re.compile(r"\d{4,}")  # an account's name in our chart has no digits and stays readable
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@]*:)[^\s@]*(@)")
_WORD_PASSWORD: Final = re.compile(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)
_ROW_DETAIL: Final = re.compile(r"^((?:DETAIL|CONTEXT):).*$", re.MULTILINE)  # PostgreSQL puts the row's values there


def configure_logs(*, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send all logs of the process to a stream; can be called again.

    JSON is written when the stream is no terminal, or when ``CENTRALPAY_LOG`` is ``json``; ``text`` asks for columns.

    Args:
        level: the least level of ours; libraries speak from WARNING on.
        stream: standard error when None.
    """
    target = sys.stderr if stream is None else stream
    wanted = os.environ.get("CENTRALPAY_LOG", "").lower()
    as_json = wanted == "json" or (wanted != "text" and not target.isatty())
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
        else structlog.dev.ConsoleRenderer(colors=target.isatty(), sort_keys=False)
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=common, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
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


def redact(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Mask keys, passwords and the numbers of bank accounts, wherever in the event they are."""
    del logger, name
    return {key: _redacted(key, value) for key, value in event.items()}


def _our_logger(*names: Any) -> logging.Logger:  # noqa: ANN401 (structlog's signature)
    return logging.getLogger(".".join(("centralpay", *(str(name) for name in names))))


def _redacted(key: str, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_KEY.search(key):
        return MASK
    if isinstance(value, Mapping):
        return {inner: _redacted(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(key, held) for held in value]
    masked = _NUMBER_KEY.search(key) and _LONG_NUMBER.search(str(value))
    return MASK if masked else _without_secrets(value)


def _without_secrets(value: object) -> object:
    if isinstance(value, int | float):
        return value
    text = _URL_PASSWORD.sub(rf"\1{MASK}\2", str(value))
    text = _WORD_PASSWORD.sub(rf"\1{MASK}", text)
    return _ROW_DETAIL.sub(rf"\1 {MASK}", text)
