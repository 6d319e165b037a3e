"""What watches over an installation: three pages on the loopback interface, and the figures behind them."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.running.health import serving
from app.session import Session, opened
from app.settings import Settings
from schemas.errors import WrongUseError
from tests.support.bank import paid_in
from tests.support.command import Shell
from tests.support.office import Office
from tests.support.trade import PATIENT, A, B, C, Part, remittance

DAY = date(2026, 11, 20)


@pytest.fixture
def office(database_url: str, quick_path: Path) -> Office:
    """Give an office with some trade: A is paid 700.00, B's 50.00 wait for their money, 12.34 have no advice."""
    office = Office(Shell(quick_path / "home", database_url), quick_path)
    office.found(A, B, C)
    office.put_in("OWN1", 1_000_00, DAY)
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("PAID1", DAY, Part(A, (900_00,)), Part(C, (-20_00,))))
    office.remit(remittance("WAITS1", DAY, Part(B, (50_00,))))
    office.book(date(2026, 11, 23), paid_in("NOBODY", 12_34))
    office.match()
    office.pay(date(2026, 11, 23))
    return office


@pytest.fixture
def session(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Give the office's session, as the scheduler has it."""
    with _session(office.shell, monkeypatch) as session:
        yield session


@pytest.fixture
def new_session(database_url: str, quick_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Give the session of an installation where nothing has happened yet."""
    with _session(Shell(quick_path / "home", database_url), monkeypatch) as session:
        yield session


@contextmanager
def _session(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    for name, value in shell.environment("mary").items():
        monkeypatch.setenv(name, value)
    with opened("mary", lambda _: None, Settings.from_environment()) as session:
        yield session


def get(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, str, str]:
    """Ask for a page; give its status, its kind and its text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read().decode()
    finally:
        connection.close()


def metrics(port: int) -> dict[tuple[str, ...], float]:
    """Scrape: the metric's name and its labels' values to its value."""
    status, kind, text = get(port, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = text_string_to_metric_families(text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_the_metrics_are_the_books_figures(session: Session) -> None:
    """Counts by kind and state, and cents: what the office's day comes to."""
    with serving(session, 0) as port:
        found = metrics(port)
    assert found["centralpay_up",] == 1
    assert found["centralpay_files", "remittance_835", "accepted"] == 2
    assert found["centralpay_files", "bai2", "accepted"] == 3
    assert found["centralpay_claims",] == 3
    assert (found["centralpay_parked_deposits",], found["centralpay_parked_deposit_cents",]) == (1, 12_34)
    assert (found["centralpay_parked_advices",], found["centralpay_parked_advice_cents",]) == (1, 50_00)
    # 900.00 less the fee of 200.00; the fee is swept to the float, which covers C's 20.00.
    assert found["centralpay_in_transit_cents",] == 700_00
    assert found["centralpay_float_cents",] == 1_000_00 + 200_00 - 20_00
    assert (found["centralpay_negative_members",], found["centralpay_negative_cents",]) == (1, 20_00)
    assert found["centralpay_cycles", "released"] == 1
    assert found["centralpay_open_exceptions", "negative_member"] == 1
    assert 0 <= found["centralpay_remittance_age_seconds",] < 600
    assert 0 <= found["centralpay_bank_statement_age_seconds",] < 600
    assert found["centralpay_database_bytes",] > 1_000_000
    assert found["centralpay_process_resident_memory_bytes",] > 1_000_000
    assert not any(name[0] in ("centralpay_proof_holds", "centralpay_scheduler_lag_seconds") for name in found)


def test_proofs_runs_and_lag_are_there_once_the_scheduler_ran(session: Session, office: Office) -> None:
    """Ten proofs that hold, when they were run, the runs by state, and how late the oldest due job is."""
    office.run("users", "add", "scheduler", "--role", "operator")
    office.run("scheduler", "--once", user=None)
    office.run("jobs", "run", "verify")
    with serving(session, 0) as port:
        found = metrics(port)
        status, _, text = get(port, "/healthz")
    assert {name[1] for name in found if name[0] == "centralpay_proof_holds"} == {f"P{n}" for n in range(1, 12)}
    assert all(value == 1 for name, value in found.items() if name[0] == "centralpay_proof_holds")
    assert found["centralpay_proofs_verified_timestamp_seconds",] > 1_700_000_000
    assert found["centralpay_job_runs", "done"] >= 1
    assert found["centralpay_scheduler_lag_seconds",] >= 0
    document = json.loads(text)
    assert status == (200 if document["ok"] else 503)
    assert {each["name"] for each in document["checks"] if not each["ok"]} <= {"bank_statements", "remittances"}


def test_health_is_503_while_something_is_not_well(session: Session) -> None:
    """Each check says its value and its limit; what is alive is alive all the same."""
    with serving(session, 0) as port:
        status, kind, text = get(port, "/healthz")
        assert get(port, "/livez") == (200, "text/plain", "alive\n")
    assert (status, kind) == (503, "application/json")
    document = json.loads(text)
    assert not document["ok"]
    checks = {each["name"]: each for each in document["checks"]}
    assert set(checks) == {
        "database",
        "schema",
        "proofs",
        "scheduler",
        "jobs",
        "remittances",
        "bank_statements",
        "disk",
    }
    assert checks["database"] == {
        "name": "database",
        "ok": True,
        "value": checks["database"]["value"],
        "limit": "answers",
    }
    assert (checks["proofs"]["ok"], checks["proofs"]["value"]) == (False, "never run by the scheduler")


def test_a_database_that_is_gone_is_said_and_the_process_lives(new_session: Session, database_url: str) -> None:
    """Its connections are cut and it takes none: /healthz 503, centralpay_up 0, /livez 200; then it is back."""
    name = database_url.partition("@/")[2].partition("?")[0]
    with (
        serving(new_session, 0) as port,
        psycopg.connect(database_url.replace(name, "postgres"), autocommit=True) as server,
    ):
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            status, _, text = get(port, "/healthz")
            assert metrics(port)["centralpay_up",] == 0
            assert get(port, "/livez")[0] == 200
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    with serving(new_session, 0) as port:
        assert metrics(port)["centralpay_up",] == 1
    assert status == 503
    assert json.loads(text)["checks"][0] == {
        "name": "database",
        "ok": False,
        "value": "does not answer",
        "limit": "answers",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "/metrics", 405), ("HEAD", "/livez", 405), ("GET", "/", 404), ("GET", "/../etc/passwd", 404)],
)
def test_only_three_pages_are_served_and_only_to_get(new_session: Session, method: str, path: str, status: int) -> None:
    """Everything else is refused in one word, and nothing of the request comes back."""
    with serving(new_session, 0) as port:
        answer = get(port, path, method)
    assert answer[0] == status
    assert "passwd" not in answer[2]


def test_another_name_for_our_address_is_refused(new_session: Session) -> None:
    """A page in a browser that points its own name at us reads nothing (DNS rebinding)."""
    with serving(new_session, 0) as port:
        assert get(port, "/metrics", Host="evil.example")[0] == 421
        assert get(port, "/livez", Host=f"localhost:{port}")[0] == 200


@pytest.mark.parametrize(
    "sent",
    [b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET /livez HTTP/9.9\r\n\r\n"],
    ids=["long", "no-http", "version"],
)
def test_what_is_no_short_request_gets_no_page(new_session: Session, sent: bytes) -> None:
    """A long line, something else than HTTP, a version that does not exist: refused, and the next one is served."""
    with serving(new_session, 0) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as raw:
            raw.sendall(sent)
            answer = raw.makefile("rb").read()
        assert b"alive" not in answer
        assert b"aaaa" not in answer
        assert get(port, "/livez")[0] == 200


def test_many_who_hang_do_not_keep_the_end_waiting(new_session: Session) -> None:
    """Eight connections that say nothing are all it takes; the ninth is told to come again; the end is quick."""
    with serving(new_session, 0) as port:
        hanging = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
        for _ in range(100):
            status = get(port, "/livez")[0]
            if status == 503:
                break
        assert status == 503
    for each in hanging:
        each.close()
    assert not [each for each in threading.enumerate() if each.name == "health"]


def test_a_port_that_is_taken_is_said(new_session: Session) -> None:
    """One sentence, and no server."""
    with (
        serving(new_session, 0) as port,
        pytest.raises(WrongUseError, match=f"Port {port} of 127.0.0.1"),
        serving(new_session, port),
    ):
        pass
    with pytest.raises(WrongUseError, match="no such port"), serving(new_session, 70_000):
        pass


def test_nobody_is_named(session: Session) -> None:
    """No member, payer, patient, account or secret is on any page."""
    with serving(session, 0) as port:
        said = get(port, "/metrics")[2] + get(port, "/healthz")[2]
    for name in (
        A.ncpdp_id,
        A.npi,
        A.dba_name,
        "HARROWGATE",
        PATIENT.last_name,
        "1360000001",
        str(session.settings.home),
    ):
        assert str(name) not in said


def test_a_locked_table_does_not_hold_the_page(new_session: Session, database_url: str) -> None:
    """Somebody holds a table for long: the look gives up after five seconds and says that it can not be read."""
    with psycopg.connect(database_url) as other, serving(new_session, 0) as port:
        other.execute("LOCK TABLE centralpay.received_file IN ACCESS EXCLUSIVE MODE")
        status, _, text = get(port, "/healthz")
        assert (status, json.loads(text)["checks"][0]["value"]) == (503, "can not be read in time")
