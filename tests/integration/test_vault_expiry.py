"""Old files are let go for good: by date, by an admin, for a reason, and never what is still needed."""

from datetime import date, timedelta
from io import BytesIO

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from app.settings import Settings
from ingest.vault import NotInVaultError
from ingest.vault import expiry as vault_expiry
from ingest.vault.expiry import RetentionError
from ingest.vault.report import Condition
from ledger.errors import JournalAppendOnlyError
from schemas.errors import WrongUseError
from tests.support import upkeep
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books
from tests.support.lives import kept
from tests.support.trade import STRANGER, A, remittance, remittance_file
from tests.support.trade import Part as Share
from tests.support.upkeep import ADVICE, BEFORE, LONG_AGO, MONDAY, TODAY, WEDNESDAY


@pytest.fixture
@kept
def paid(books: Books) -> Books:
    """Give books after a payout and a statement: 835, bank statement, roster, NACHA file and statement are kept."""
    return upkeep.live(books)


@pytest.fixture
def lived(paid: Books, owner: Engine) -> Books:
    """Give these books when every share was told to its member."""
    return upkeep.tell(paid, owner)


def _kept(books: Books) -> dict[str, str | None]:
    """Give the old files that have to stay, and why."""
    return {each.name: each.reasons for each in upkeep.expire(books, dry_run=True).kept}


def test_old_files_are_let_go(lived: Books, owner: Engine) -> None:
    """The bytes go, the rows stay with who, when and why; what was sent and issued stays; nothing is missed."""
    upkeep.age(lived, owner)
    digests = [upkeep.digest(lived, name) for name in ("roster.csv", "remit.835", "bank.bai")]
    claims = lived.ask("SELECT count(*), sum(paid_cents) FROM claim_line")
    expiry = upkeep.expire(lived, reason="ten years are over")
    assert {each.name for each in expiry.let_go} == {"roster.csv", "remit.835", "bank.bai"}
    assert (expiry.kept, expiry.erased) == ((), 3)
    for sha256 in digests:
        with pytest.raises(NotInVaultError):
            lived.vault.open(sha256)
    rows = lived.ask("SELECT state, before, reason, actor FROM vault_expiry ORDER BY state DESC")
    assert rows == [(state, BEFORE, "ten years are over", MAKER) for state in ("expiring", "expired") for _ in digests]
    assert lived.ask("SELECT count(*), sum(paid_cents) FROM claim_line") == claims
    check = upkeep.check(lived)
    assert check.holds
    assert check.found == ()
    assert check.counts[Condition.LET_GO] == 3
    assert (upkeep.expire(lived).let_go, upkeep.expire(lived).erased) == ((), 0)
    lived.prove()


def test_younger_files_stay(lived: Books, owner: Engine) -> None:
    """The day itself stays, by UTC; only what came before it goes."""
    upkeep.age(lived, owner, "bank.bai")
    stay = "UPDATE received_file SET received_at = CAST(:day AS timestamp) AT TIME ZONE 'UTC' WHERE name = 'remit.835'"
    upkeep.as_owner(owner, stay, day=BEFORE)
    assert [each.name for each in upkeep.expire(lived).let_go] == ["bank.bai"]
    assert [each.name for each in upkeep.expire(lived, BEFORE + timedelta(days=1)).let_go] == ["remit.835"]


def test_a_dry_run_only_tells(lived: Books, owner: Engine) -> None:
    """It lists what would go, and neither a row nor a byte changes."""
    upkeep.age(lived, owner)
    expiry = upkeep.expire(lived, dry_run=True)
    assert (len(expiry.let_go), expiry.erased, expiry.is_dry_run) == (3, 0, True)
    assert lived.ask("SELECT count(*) FROM vault_expiry") == [(0,)]
    assert upkeep.check(lived).counts[Condition.LET_GO] == 0


def test_what_is_still_needed_stays(books: Books, owner: Engine) -> None:
    """No money yet, not told yet, an open exception, a line not explained, a stopped reading: each with its why."""
    books.receive(remittance_file(ADVICE), "unfunded.835")
    books.receive(remittance_file(remittance("T9", MONDAY, Share(A, (1_00,)), payment_cents=2_00)), "lopsided.835")
    books.book(MONDAY, paid_in("NOBODYS", 77_00))
    books.receive(b"nothing that we know", "stopped")
    upkeep.as_owner(owner, "UPDATE received_file SET status = 'reading' WHERE name = 'stopped'")
    upkeep.wait_to_be_told(owner)
    upkeep.age(books, owner)
    kept = {
        "unfunded.835": "1 of its advices not funded yet; 2 of its shares not told to their pharmacies yet",
        "lopsided.835": "1 of its sets with an open exception",
        "bank.bai": "1 of its bank lines not explained yet",
        "stopped": "its reading was interrupted; ingest it again",
    }
    assert _kept(books) == kept
    expiry = upkeep.expire(books)
    assert [each.name for each in expiry.let_go] == ["roster.csv"]
    assert {each.name: each.reasons for each in expiry.kept} == kept


def test_funded_but_not_told_stays(lived: Books, owner: Engine) -> None:
    """A share that no cycle has told its pharmacy keeps the bytes that its remittance is copied from."""
    lived.fund(remittance("T2", WEDNESDAY, Share(A, (50_00,))))
    upkeep.wait_to_be_told(owner)
    upkeep.age(lived, owner)
    assert set(_kept(lived).values()) == {"1 of its shares not told to their pharmacies yet"}


def test_money_of_a_stranger_keeps_its_file(books: Books, owner: Engine) -> None:
    """Funded for somebody who is no member yet: when he is found he is told from the bytes."""
    books.fund(remittance("T1", MONDAY, Share(STRANGER, (100_00,))))
    upkeep.age(books, owner, "remit.835")
    assert _kept(books) == {"remit.835": "1 of its advices with money that waits for an unknown payee"}


def test_what_was_sent_or_issued_stays(lived: Books, owner: Engine) -> None:
    """A payment file or a statement that came in again as a file is ours: it is not let go by that name."""
    sent = lived.ask("SELECT encode(nacha_sha256, 'hex') FROM cycle")[0][0]
    issued = lived.ask("SELECT detail ->> 'sha256' FROM activity WHERE action = 'statement_issued'")[0][0]
    for name, sha256 in (("sent", sent), ("issued", issued)):
        with lived.vault.open(sha256) as stream:
            lived.receive(stream.read(), name)
    upkeep.age(lived, owner)
    assert _kept(lived) == {
        "sent": "a cycle sent the same bytes",
        "issued": "a statement was issued with the same bytes",
    }


def test_a_file_that_is_not_there_is_not_called_destroyed(lived: Books, owner: Engine) -> None:
    """A loss, or another vault's home, is told; the books do not say that we let it go."""
    upkeep.age(lived, owner)
    upkeep.path(lived, "remit.835").unlink()
    assert _kept(lived) == {"remit.835": "it is not in this vault; see: centralpay vault verify"}
    upkeep.expire(lived)
    assert upkeep.check(lived).counts[Condition.MISSING] == 1


def test_the_retention_period_is_refused(lived: Books, owner: Engine) -> None:
    """Ten years to the day, seven at least, and never without a reason; nothing changes."""
    upkeep.age(lived, owner)
    with pytest.raises(RetentionError, match="10 years") as caught:
        upkeep.expire(lived, date(2016, 11, 21))
    assert caught.value.latest == date(2016, 11, 20)
    with pytest.raises(WrongUseError, match="7 years at least"):
        vault_expiry.expire(lived.begin, lived.vault, before=BEFORE, reason="r", actor=MAKER, today=TODAY, years=6)
    with pytest.raises(WrongUseError, match="--reason"):
        upkeep.expire(lived, reason="  ")
    assert lived.ask("SELECT count(*) FROM vault_expiry") == [(0,)]
    assert len(upkeep.expire(lived, date(2016, 11, 20)).let_go) == 3


def test_the_retention_period_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten years when nothing is said, more as one likes; less than seven is a wrong setting, by name."""
    assert Settings.from_environment().retention_years == 10
    monkeypatch.setenv("CENTRALPAY_RETENTION_YEARS", "12")
    assert Settings.from_environment().retention_years == 12
    monkeypatch.setenv("CENTRALPAY_RETENTION_YEARS", "6")
    with pytest.raises(WrongUseError, match="CENTRALPAY_RETENTION_YEARS"):
        Settings.from_environment()


def test_the_last_of_february_has_a_day(lived: Books) -> None:
    """Ten years before a leap day is the last day of that February."""
    assert vault_expiry.latest_day(date(2028, 2, 29), 10) == date(2018, 2, 28)
    assert vault_expiry.latest_day(date(2028, 2, 29), 8) == date(2020, 2, 29)
    assert upkeep.check(lived).holds


@pytest.mark.parametrize(
    ("rule", "state", "before", "columns"),
    [
        ("file_may_be_let_go", "expiring", BEFORE, ""),
        ("file_is_old_enough", "expiring", LONG_AGO, ""),
        ("expired_was_expiring", "expired", BEFORE, ""),
        ("seven_years_at_least", "expiring", TODAY, ""),
        ("vault_expiry_reason_check", "expiring", BEFORE, "' '"),
        ("vault_expiry_actor_fkey", "expiring", BEFORE, "nobody"),
    ],
)
def test_the_database_refuses_too(
    lived: Books, owner: Engine, rule: str, state: str, before: date, columns: str
) -> None:
    """Raw SQL of the application does not let go of what is needed, too young, undecided, or without who and why."""
    upkeep.age(lived, owner)
    if rule == "file_may_be_let_go":
        upkeep.as_owner(owner, "UPDATE advice SET state = 'accepted'")
    facts = {"state": state, "before": before, "reason": " " if "reason" in rule else "r"}
    raw = """INSERT INTO vault_expiry (file_id, state, before, reason, actor)
             SELECT file_id, :state, :before, :reason, :actor FROM received_file WHERE name = 'remit.835'"""
    with pytest.raises(DBAPIError) as caught:
        lived.ask(raw + " RETURNING file_id", **facts, actor=columns if "actor" in rule else MAKER)
    assert isinstance(caught.value.orig, psycopg.Error)
    assert caught.value.orig.diag.constraint_name == rule


def test_tables_of_ones_own_do_not_deceive_the_database(lived: Books, owner: Engine) -> None:
    """A session that puts an empty table of the same name in front of the books still lets go of nothing needed."""
    upkeep.age(lived, owner)
    upkeep.as_owner(owner, "UPDATE advice SET state = 'accepted'")
    insert = """INSERT INTO centralpay.vault_expiry (file_id, state, before, reason, actor)
                SELECT file_id, 'expiring', :before, 'r', :actor FROM centralpay.received_file"""
    with lived.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE advice (LIKE centralpay.advice)"))
        connection.execute(text("SET LOCAL search_path = pg_temp, centralpay"))
        with pytest.raises(DBAPIError, match="not funded yet"):
            connection.execute(text(insert), {"before": BEFORE, "actor": MAKER})


def test_what_was_let_go_is_written_for_good(lived: Books, owner: Engine) -> None:
    """Nobody dates a decision back; neither the application nor the owner changes or removes one."""
    upkeep.age(lived, owner)
    dated_back = """INSERT INTO vault_expiry (file_id, state, before, reason, actor, at)
                    SELECT file_id, 'expiring', :before, 'r', :actor, now() - interval '1 day' FROM received_file"""
    with pytest.raises(DBAPIError, match="not received before"):
        lived.ask(dated_back + " RETURNING file_id", before=BEFORE, actor=MAKER)
    upkeep.expire(lived)
    for change in ("UPDATE vault_expiry SET reason = 'x'", "DELETE FROM vault_expiry", "TRUNCATE vault_expiry"):
        with pytest.raises(JournalAppendOnlyError, match="vault_expiry"):
            upkeep.as_owner(owner, change)
        with pytest.raises(DBAPIError, match="permission denied"):
            lived.ask(change)


def test_a_decision_is_carried_out_whatever_stopped_it(lived: Books, owner: Engine) -> None:
    """Stopped after the decision, or after some bytes were gone: told meanwhile, and any later call ends it."""
    upkeep.age(lived, owner)
    with lived.begin() as connection:
        may_go, _ = vault_expiry.plan(connection, lived.vault, BEFORE)
        vault_expiry.decide(connection, may_go, BEFORE, "r", MAKER)
    lived.vault.folder.erase(may_go[0].sha256)
    check = upkeep.check(lived)
    assert check.holds
    assert check.counts[Condition.LETTING_GO] == len(may_go) == 3
    expiry = upkeep.expire(lived, date(2000, 1, 1))
    assert (expiry.let_go, expiry.erased) == ((), 2)
    assert upkeep.check(lived).counts[Condition.LET_GO] == 3
    assert lived.ask("SELECT count(*) FROM vault_expiry WHERE state = 'expired'") == [(3,)]


def test_a_file_that_was_let_go_stays_a_duplicate(lived: Books, owner: Engine) -> None:
    """Sent again it posts nothing, says when it was let go and by whom, and its bytes go again at once."""
    upkeep.age(lived, owner)
    upkeep.expire(lived)
    posted = lived.ask("SELECT count(*) FROM line")
    verdict = lived.receive(remittance_file(ADVICE), "again.835")
    assert (verdict.status, verdict.is_done) == ("duplicate", True)
    assert f"by {MAKER} (retention)" in verdict.summary
    assert lived.ask("SELECT count(*) FROM line") == posted
    check = upkeep.check(lived)
    assert check.holds
    assert (check.counts[Condition.CAME_AGAIN], check.counts[Condition.LET_GO]) == (0, 3)
    with lived.begin() as connection:
        gone = vault_expiry.let_go(connection, upkeep.digest(lived, "remit.835"))
        assert vault_expiry.let_go(connection, "0" * 64) is None
    assert gone is not None
    assert (gone.actor, gone.reason) == (MAKER, "retention")


def test_what_came_to_be_needed_again_stays(lived: Books, owner: Engine) -> None:
    """A file that is there again and that an unfunded advice stands on is not erased for an old decision's sake."""
    upkeep.age(lived, owner)
    upkeep.expire(lived)
    sha256 = lived.vault.store(BytesIO(remittance_file(ADVICE)), "again").sha256
    upkeep.as_owner(owner, "UPDATE advice SET state = 'accepted'")
    assert upkeep.expire(lived).erased == 0
    assert [(each.condition, each.sha256) for each in upkeep.check(lived).found] == [(Condition.CAME_AGAIN, sha256)]
    upkeep.as_owner(owner, "UPDATE advice SET state = 'funded'")
    assert upkeep.expire(lived).erased == 1
    assert upkeep.check(lived).found == ()
