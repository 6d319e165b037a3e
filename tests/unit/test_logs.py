"""Logs say what happened, to standard error only, and keep to themselves what nobody may read."""

import io
import json
import logging
import stat
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog

from app.logs import MASK, LogUnusableError, bind_run, command_logged, configure_logs, job_bound, redact, run_id
from app.scheduler.runner import Runner
from app.scheduler.service import serve
from payouts.jobs.runs import Run


@pytest.fixture(autouse=True)
def plain_logging() -> Iterator[None]:
    """Put the process's logging back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("centralpay")
    handlers, level, our_level, raising = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    yield
    for handler in root.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.close()
    logging.raiseExceptions = raising
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def written(stream: io.StringIO) -> list[dict[str, object]]:
    """Read what was logged as JSON, a line an event."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_line_says_what_happened_in_whose_run() -> None:
    """An event carries its facts, the run's id and the person, the level and the time in UTC."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    bind_run("run-1", "ann")
    structlog.get_logger("ingest").info("file taken", file="a.835", paid_cents=-1205)
    (event,) = written(stream)
    assert str(event.pop("timestamp")).endswith("Z")
    assert event == {
        "event": "file taken",
        "file": "a.835",
        "paid_cents": -1205,
        "level": "info",
        "run_id": "run-1",
        "user": "ann",
    }


def test_nothing_reaches_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output belongs to the command's result, which goes into pipes."""
    configure_logs()
    structlog.get_logger().warning("disk is almost full")
    out, err = capsys.readouterr()
    assert out == ""
    assert "disk is almost full" in err


def test_a_person_gets_columns_and_a_machine_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets JSON; CENTRALPAY_LOG decides otherwise, and for a terminal too."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, wanted, json_expected in (
        (io.StringIO(), "", True),
        (Terminal(), "", False),
        (Terminal(), "json", True),
        (io.StringIO(), "text", False),
    ):
        monkeypatch.setenv("CENTRALPAY_LOG", wanted)
        configure_logs(stream=stream)
        structlog.get_logger().info("done")
        assert stream.getvalue().startswith("{") is json_expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("account_number", "123456789"),
        ("bank_account", 123456789),
        ("routing", "091000019"),
        ("ODFI_ROUTING", "091000019"),
        ("master_key", "short"),
        ("client_secret", "short"),
        ("password", "short"),
        ("database_dsn", "host=h user=u"),
    ],
)
def test_keys_passwords_and_account_numbers_are_masked(key: str, value: object) -> None:
    """The key's name decides, at any depth."""
    assert redact(None, "", {key: value}) == {key: MASK}
    assert redact(None, "", {"bank": {key: [value]}})["bank"][key] in (MASK, [MASK])


def test_the_name_of_a_ledger_account_stays_readable() -> None:
    """Only numbers are masked under such a key: the chart's accounts are words, and money is not an account."""
    event = {"account": "due_available", "accounts": ["cash", "held"], "paid_cents": 123456789, "file": "a.835"}
    assert redact(None, "", dict(event)) == event


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://ann:marlin@db/centralpay",
        "cannot reach postgresql://ann:mar:lin@db/centralpay",
        "host=db password=marlin user=ann",
        "host=db password='mar lin' user=ann",
        "value too long\nDETAIL:  Failing row contains (7654321, marlin).",
        'error\nCONTEXT:  COPY claims, row 3, column rx: "marlin"',
    ],
)
def test_passwords_and_rows_inside_a_text_are_masked(text: str) -> None:
    """A driver's message may quote an address or a row; the rest of it stays."""
    said = str(redact(None, "", {"event": text})["event"])
    assert "mar" not in said
    assert "lin" not in said
    assert MASK in said
    assert said.startswith(text[:5])


def test_a_traceback_is_masked_and_shows_no_variables() -> None:
    """An error's text goes the same way, and the values of variables never stand in a log."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    patient = "Doe^Jane"
    try:
        int(patient[:0] + "x")
    except ValueError as error:
        error.add_note("while reading postgresql://ann:marlin@db/centralpay")
        structlog.get_logger().exception("reading failed")
    (event,) = written(stream)
    assert "ValueError" in str(event["exception"])
    assert "Jane" not in stream.getvalue()
    assert "marlin" not in stream.getvalue()


def test_libraries_speak_from_warnings_on_and_are_masked_too() -> None:
    """What a library logs passes the same processors."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    logging.getLogger("alembic").info("nothing of interest")
    logging.getLogger("alembic").warning("at %s", "postgresql://ann:marlin@db/centralpay")
    (event,) = written(stream)
    assert (event["event"], event["level"]) == (f"at postgresql://ann:{MASK}@db/centralpay", "warning")


def test_configuring_twice_says_things_once() -> None:
    """A second call replaces the first."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    configure_logs(stream=stream)
    structlog.get_logger().info("once")
    assert len(written(stream)) == 1


def test_a_second_run_does_not_inherit_from_the_first() -> None:
    """What was bound for one run is gone with the next."""
    stream = io.StringIO()
    configure_logs(stream=stream)
    bind_run("run-1", "ann")
    structlog.contextvars.bind_contextvars(file="a.835")
    bind_run("run-2", None)
    structlog.get_logger().info("done")
    (event,) = written(stream)
    assert (event["run_id"], event["user"], "file" in event) == ("run-2", None, False)


def test_a_file_takes_the_log_and_is_private_and_begun_anew_when_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CENTRALPAY_LOG_FILE: JSON, mode 0600; a file that logrotate has moved away is followed by another one."""
    file = tmp_path / "centralpay.log"
    monkeypatch.setenv("CENTRALPAY_LOG_FILE", str(file))
    configure_logs()
    structlog.get_logger().info("first")
    file.rename(tmp_path / "centralpay.log.1")
    structlog.get_logger().info("second")
    for path, event in ((tmp_path / "centralpay.log.1", "first"), (file, "second")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()] == [event]


def test_a_file_that_can_not_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence with the variable's name; the command does not begin."""
    monkeypatch.setenv("CENTRALPAY_LOG_FILE", str(tmp_path / "no" / "where.log"))
    with pytest.raises(LogUnusableError, match="CENTRALPAY_LOG_FILE"):
        configure_logs()


def test_a_command_says_when_it_begins_and_how_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody reads the log: its name, one run id, who acted, the exit code, how long; an error by its class."""
    file = tmp_path / "log"
    monkeypatch.setenv("CENTRALPAY_LOG_FILE", str(file))

    def release() -> None:
        with command_logged(lambda: "cycle release", lambda _: 5):
            bind_run(run_id(), "ann")
            structlog.get_logger("work").info("at work")
            raise ValueError("MARIGOLD")

    with pytest.raises(ValueError, match="MARIGOLD"):
        release()
    begins, works, ends = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    assert begins["run_id"] == works["run_id"] == ends["run_id"]
    assert (begins["event"], begins["command"], begins["user"]) == ("command begins", "cycle release", None)
    assert (ends["event"], ends["exit_code"], ends["user"], ends["error"]) == ("command ends", 5, "ann", "ValueError")
    assert ends["duration_s"] >= 0
    assert "MARIGOLD" not in file.read_text(encoding="utf-8")
    assert "run_id" not in structlog.contextvars.get_contextvars()


def test_nobody_who_did_not_ask_is_told_of_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error stays quiet for people."""
    with command_logged(lambda: "cycle list", lambda _: 1):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_job_is_on_its_own_lines_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of the scheduler puts its name and its moment on every line; what comes after it is the scheduler's."""
    monkeypatch.delenv("CENTRALPAY_LOG_FILE", raising=False)
    stream = io.StringIO()
    configure_logs(stream=stream)
    bind_run("run-1", "scheduler")
    with job_bound("scheduler", "verify", datetime(2026, 11, 20, 9, tzinfo=UTC)):
        logging.getLogger("library").warning("slow")
    logging.getLogger("library").warning("late")
    event, after = written(stream)
    assert (event["job"], event["scheduled_for"], event["user"]) == ("verify", "2026-11-20T09:00:00+00:00", "scheduler")
    assert event["run_id"] != "run-1"
    assert (after["run_id"], after["user"], "job" in after) == ("run-1", "scheduler", False)


def test_the_schedulers_thread_speaks_as_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong between two jobs is said with the run and the user of the process, whichever thread says it."""
    monkeypatch.delenv("CENTRALPAY_LOG_FILE", raising=False)
    stream, stop = io.StringIO(), threading.Event()
    configure_logs(stream=stream)
    bind_run("run-1", "scheduler")

    class Broken(Runner):
        def __init__(self) -> None:
            self.jobs = {}

        def tick(self) -> list[Run]:
            stop.set()
            raise OSError(5, "Input/output error")

    serve(Broken(), stop)
    (told,) = [each for each in written(stream) if each["event"] == "what is due can not be told"]
    assert (told["run_id"], told["user"]) == ("run-1", "scheduler")
