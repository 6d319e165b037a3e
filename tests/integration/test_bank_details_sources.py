"""Bank details out of rosters: asked for, never overwritten; and what a new master key does to those that wait."""

from datetime import date
from io import BytesIO

import pytest

from ingest.encryption import Keyring, id_of_key
from ingest.models import bank_account_context
from ingest.receiving import Receiver
from ingest.vault import Vault
from ingest.vault import keys as vault_keys
from ledger.errors import PayoutNotApprovedError
from payouts.accounts.prenotes import send_prenotes
from payouts.accounts.roster import roster_desk
from payouts.people.contacts import record_contact
from tests.support.bank_changes import (
    MONDAY,
    NEW_NUMBER,
    OWNER,
    TUESDAY,
    USABLE,
    accounts_of_a,
    ask,
    call_back,
    courier,
    decide,
    go_live,
    prenoted,
    with_contact,
)
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.lives import kept
from tests.support.trade import BANK_ACCOUNT, A, B, C, pharmacy


@pytest.fixture
@kept
def house(books: Books) -> Books:
    """Give books with a third person, who calls, and a contact of A from long ago."""
    return with_contact(books)


def test_a_roster_asks_and_does_not_overwrite(house: Books) -> None:
    """Two rows with other details are two changes; the rest of the roster is taken over, the accounts stay."""
    rows = [roster_row(A, account_number="999000111"), roster_row(B, account_type="savings", dba_name="New Name")]
    verdict = house.receive(roster(*rows, roster_row(C)), "roster.csv")
    assert verdict.status == "accepted"
    assert verdict.summary == "0 added, 1 changed, 2 unchanged, 2 bank changes asked"
    changes = house.ask(
        "SELECT source, last_four, account_type, requested_on, state FROM bank_account_change ORDER BY change_id"
    )
    assert [tuple(row) for row in changes] == [
        ("roster", "0111", "checking", MONDAY, "asked"),
        ("roster", B.account_number[-4:], "savings", MONDAY, "asked"),
    ]
    assert accounts_of_a(house) == [("0101", A.member_since, None)]
    assert house.ask("SELECT dba_name FROM member WHERE dba_name = 'New Name'") == [("New Name",)]


def test_a_roster_does_not_ask_again(house: Books) -> None:
    """The same row in another file changes nothing, open or turned down; another one waits for the open change."""
    other = roster_row(A, account_number="999000111")
    assert house.receive(roster(other, roster_row(B)), "1.csv").summary.endswith("1 bank change asked")
    assert house.receive(roster(other), "2.csv").summary == "0 added, 0 changed, 1 unchanged"
    third = house.receive(roster(roster_row(A, account_number="999000222")), "3.csv")
    assert third.summary.endswith("1 kept back, for another bank change is open")
    (change,) = house.ask("SELECT change_id FROM bank_account_change")[0]
    call_back(house, change, confirmed=False)
    assert house.receive(roster(other, roster_row(C)), "4.csv").summary == "0 added, 0 changed, 2 unchanged"
    assert house.ask("SELECT count(*) FROM bank_account_change") == [(1,)]


def test_first_accounts_wait_where_the_installation_says_so(house: Books) -> None:
    """A new member has no account until its first one was called back, approved and tried; nothing slips in beside it.

    Its contact may be written down after the request: nobody has been paid yet who could be robbed.
    """
    new = pharmacy(110)
    desk = roster_desk(house.keyring, MAKER, MONDAY, cooling_days=3, new_accounts_wait=True)
    receiver = Receiver(house.begin, house.vault, house.keyring, BANK_ACCOUNT, MAKER, desk)
    verdict = receiver.receive(BytesIO(roster(roster_row(new), roster_row(A))), "roster.csv")
    assert verdict.summary == "1 added, 0 changed, 1 unchanged, 1 bank change asked"
    assert receiver.receive(BytesIO(roster(roster_row(new))), "again.csv").summary == "0 added, 0 changed, 1 unchanged"
    member = house.member(new)
    assert house.ask("SELECT count(*) FROM bank_account WHERE member_id = :member", member=member) == [(0,)]
    beside = """INSERT INTO bank_account (member_id, in_use, routing_number, account_type, sealed_number, last_four)
        VALUES (:member, '[2024-01-01,)', '091000019', 'checking', 'x', '1234')"""
    with pytest.raises(PayoutNotApprovedError, match="account_was_asked_for"):
        house.ask(beside, member=member)
    (change,) = house.ask("SELECT change_id FROM bank_account_change")[0]
    with house.begin() as connection:
        record_contact(connection, member, OWNER, since=new.member_since, on=TUESDAY, actor=MAKER)
    call_back(house, change, on=TUESDAY)
    decide(house, change)
    with house.begin() as connection:
        send_prenotes(courier(house, connection), house.keyring, TUESDAY)
    assert go_live(house, USABLE) == [change]
    rows = house.ask("SELECT lower(in_use), last_four FROM bank_account WHERE member_id = :member", member=member)
    assert [tuple(row) for row in rows] == [(USABLE, new.account_number[-4:])]


# Keys ----------------------------------------------------------------------------------------------------------------


def test_a_new_master_key_seals_changes_too(house: Books) -> None:
    """One live, one asked, and the accounts: all five numbers open under the new key alone, and the way goes on.

    Three members' first accounts, A's second one, and the two changes: six numbers.
    """
    live = prenoted(house)
    go_live(house, USABLE)
    asked = ask(house, "999000111", requested_on=date(2026, 11, 24))
    key = bytes(range(32))
    both = Keyring(id_of_key(key), {id_of_key(key): key, **house.keyring.keys})
    rotated = vault_keys.rotate(house.begin, Vault(house.vault.root, both), MAKER)
    assert (rotated.numbers_resealed, rotated.unopened, rotated.old_key_ids) == (6, (), ())
    new = Keyring(id_of_key(key), {id_of_key(key): key})
    rows = house.ask("SELECT change_id, bank_account_id, sealed_number FROM bank_account_change ORDER BY change_id")
    opened = {
        row.change_id: new.open(bytes(row.sealed_number), bank_account_context(row.bank_account_id)) for row in rows
    }
    assert opened == {live: NEW_NUMBER.encode(), asked: b"999000111"}
    house.keyring = new
    assert ask(house, "999000111", requested_on=date(2026, 11, 24)) == asked
