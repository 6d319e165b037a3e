"""Who is who: takes rosters and payer lists over, and names the member behind an identifier on a date."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Executable, Row, insert, select
from sqlalchemy.dialects.postgresql import Range

from ingest.details_desk import Answer, DetailsDesk
from ingest.encryption import Keyring
from ingest.errors import UnknownMemberError
from ingest.found_identifiers import crossed
from ingest.models import Contract, Member, MemberIdentifier, Owner, Pharmacy, bank_account_context
from ingest.payers import PayerRow
from ingest.roster import RosterRow
from ledger import activity
from ledger.queries import Queries
from schemas.errors import UnreadableError
from schemas.findings import Finding

_QUERIES = Queries("ingest", "directory.sql")

_Fact = tuple[str, object, object]
"""A column of the roster, what a row gives, and what is stored."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did."""

    added: int
    changed: int
    unchanged: int
    asked: int = 0
    """Members whose other bank details were asked for."""
    kept_back: int = 0
    """Members whose other bank details wait, for others are asked already."""

    @property
    def summary(self) -> str:
        """Say it in a line."""
        said = [f"{self.added} added", f"{self.changed} changed", f"{self.unchanged} unchanged"]
        if self.asked:
            said.append(f"{self.asked} bank change{'s' * (self.asked > 1)} asked")
        if self.kept_back:
            said.append(f"{self.kept_back} kept back, for another bank change is open")
        return ", ".join(said)


class MemberRow(BaseModel):
    """A member as people list it; both ends of the membership are inclusive."""

    model_config = ConfigDict(frozen=True)

    member_id: UUID
    ncpdp_id: str
    npi: str | None
    legal_name: str
    member_since: date
    member_until: date | None
    monthly_fee_cents: int | None
    account_last_four: str | None


@dataclass(slots=True)
class _Plan:
    """What of a roster is new, ended or changed, beside what is on file."""

    new: list[tuple[int, RosterRow]] = field(default_factory=list)
    """With the line that the row stands on."""
    ended: list[tuple[UUID, date]] = field(default_factory=list)
    fees: list[tuple[UUID, RosterRow]] = field(default_factory=list)
    lines: dict[UUID, int] = field(default_factory=dict)
    """On which line of the roster a member with a new fee stands."""
    renamed: list[tuple[UUID, RosterRow]] = field(default_factory=list)
    other_details: list[tuple[UUID, RosterRow]] = field(default_factory=list)
    """Members whose bank details are others than those on file."""
    unchanged: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def changed(self) -> int:
        """Count the members on file that the roster changes."""
        return len({member for member, _ in [*self.ended, *self.fees, *self.renamed]})


def import_roster(
    connection: Connection,
    rows: Sequence[RosterRow],
    *,
    name: str,
    keyring: Keyring,
    actor: str,
    desk: DetailsDesk | None = None,
) -> Imported:
    """Take a roster over: all of it or nothing. The same roster again changes nothing.

    New members get their identifiers, contract and bank account. A member on file may end, get a new fee from a later
    date, or another name. Other bank details are asked for at the desk, and overwrite nothing; without a desk they are
    refused. Anything else that differs is refused: those are changes that a second person has to see.

    Raises:
        UnreadableError: a row differs from what is on file in a way that an import may not change.
    """
    connection.execute(_QUERIES["lock_directory"])
    on_file = {(row.ncpdp_id, row.since): row for row in connection.execute(_QUERIES["members_on_file"])}
    plan = _plan(rows, on_file, keyring, may_ask=desk is not None)
    plan.findings += crossed(connection, dict(plan.ended), plan.new)
    plan.findings += _raised_afterwards(connection, plan)
    if plan.findings:
        raise UnreadableError(name, plan.findings)
    for member_id, until in plan.ended:
        for statement in ("end_identifiers", "end_contracts", "end_membership"):
            connection.execute(_QUERIES[statement], {"member_id": member_id, "until": until})
    for member_id, row in plan.fees:
        connection.execute(_QUERIES["end_contract_before"], {"member_id": member_id, "fee_since": row.fee_since})
        contract = {"since": row.fee_since, "until": row.member_until, "monthly_fee_cents": row.monthly_fee_cents}
        connection.execute(_QUERIES["next_contract"], {"member_id": member_id, **contract})
    for member_id, row in plan.renamed:
        facts = {"legal_name": row.legal_name, "dba_name": row.dba_name, "state": row.state}
        schedule = {"payout_schedule": str(row.payout_schedule), "payout_minimum_cents": row.payout_minimum_cents}
        connection.execute(_QUERIES["rename_member"], {"member_id": member_id, **facts, **schedule})
    if plan.new:
        first_wait = desk is not None and desk.first_wait
        plan.other_details += _add_members(connection, [row for _, row in plan.new], keyring, first_wait=first_wait)
    answers = [] if desk is None else [desk.ask(connection, member_id, row) for member_id, row in plan.other_details]
    asked, kept_back = answers.count(Answer.ASKED), answers.count(Answer.WAITS)
    done = Imported(len(plan.new), plan.changed, plan.unchanged, asked, kept_back)
    activity.record(connection, actor, "roster_imported", name, added=done.added, changed=done.changed, asked=asked)
    if desk is not None and desk.follow is not None:
        desk.follow(connection)
    return done


def import_payers(connection: Connection, rows: Iterable[PayerRow], *, name: str, actor: str) -> Imported:
    """Take a list of payers over; the list's words replace those on file."""
    added = changed = unchanged = 0
    for row in rows:
        facts = {"ach_company_ids": list(row.ach_company_ids), "aliases": list(row.aliases)}
        outcome = connection.execute(_QUERIES["payers"], {"payer_id": row.payer_id, "name": row.name, **facts}).first()
        unchanged += outcome is None
        added += outcome is not None and outcome.added
        changed += outcome is not None and not outcome.added
    activity.record(connection, actor, "payers_imported", name, added=added, changed=changed)
    return Imported(added, changed, unchanged)


def _plan(
    rows: Sequence[RosterRow], on_file: dict[tuple[str, date], Row[Any]], keyring: Keyring, *, may_ask: bool
) -> _Plan:
    plan = _Plan()
    # Line 1 is the header; a roster has no blank lines between its rows.
    for line, row in sorted(enumerate(rows, 2), key=lambda pair: (pair[1].ncpdp_id, pair[1].member_since)):
        known = on_file.get((row.ncpdp_id, row.member_since))
        if known is None:
            plan.new.append((line, row))
            continue
        facts = _kept_facts(row, known)
        details = _bank_facts(row, known, keyring)
        if may_ask and any(given != stored for _, given, stored in details):
            plan.other_details.append((known.member_id, row))
        plan.findings += _differences(line, row, facts if may_ask else facts + details)
        before = plan.changed
        if known.until is None and row.member_until is not None:
            plan.ended.append((known.member_id, row.member_until))
        if row.fee_since > known.fee_since:
            plan.fees.append((known.member_id, row))
            plan.lines[known.member_id] = line
        names = (row.legal_name, row.dba_name, row.state, row.payout_schedule)
        minimum = known.payout_minimum_cents if row.payout_minimum_cents is None else row.payout_minimum_cents
        known_names = (known.legal_name, known.dba_name, known.state, known.payout_schedule)
        if names != known_names or minimum != known.payout_minimum_cents:
            plan.renamed.append((known.member_id, row))
        plan.unchanged += plan.changed == before
    plan.findings += _overlaps(plan, on_file.values())
    return plan


def _overlaps(plan: _Plan, on_file: Iterable[Row[Any]]) -> Iterable[Finding]:
    """Find new members whose identifier names a member on file on one of their days."""
    ended = dict(plan.ended)
    taken: dict[tuple[str, str], list[tuple[date, date]]] = defaultdict(list)
    for known in on_file:
        span = (known.since, ended.get(known.member_id, known.until) or date.max)
        taken["ncpdp_id", known.ncpdp_id].append(span)
        taken["npi", known.npi].append(span)
    for line, row in plan.new:
        for column, value in (("ncpdp_id", row.ncpdp_id), ("npi", row.npi)):
            for since, until in taken[column, value]:
                if row.member_since <= until and since <= (row.member_until or date.max):
                    stood = f"{since} to {'open' if until == date.max else until}"
                    yield Finding(
                        rule="memberships_apart",
                        element=column,
                        expected=f"a membership apart from that on file, {stood}",
                        found=f"{value} again from {row.member_since}",
                        line=line,
                        advice="At a change of ownership give the old membership its member_until, in the same roster.",
                    )


def _raised_afterwards(connection: Connection, plan: _Plan) -> Iterable[Finding]:
    """Find new fees that would ask more for a month than was assessed for it."""
    fees = dict(plan.fees)
    if not fees:
        return
    for assessed in connection.execute(_QUERIES["assessed_months"], {"member_ids": list(fees)}):
        row = fees[assessed.member_id]
        if row.fee_since <= max(assessed.month, row.member_since) and row.monthly_fee_cents > assessed.cents:
            yield Finding(
                rule="fee_stays_as_assessed",
                element="fee_since",
                expected=f"a day after the first of {assessed.month:%Y-%m}, whose fee is assessed",
                found=f"{row.fee_since} for a higher fee",
                line=plan.lines[assessed.member_id],
                advice="A fee that was assessed is not raised afterwards; let the new one begin with a later month.",
            )


def _kept_facts(row: RosterRow, known: Row[Any]) -> list[_Fact]:
    """Give what an import may not change of a member on file: column, given, stored."""
    facts: list[_Fact] = [("npi", row.npi, known.npi), ("tin", row.tin, known.tin)]
    if row.fee_since == known.fee_since:
        facts.append(("monthly_fee", row.monthly_fee_cents, known.monthly_fee_cents))
    elif row.fee_since < known.fee_since:
        facts.append(("fee_since", row.fee_since, known.fee_since))
    if known.until is not None:
        facts.append(("member_until", row.member_until, known.until))
    return facts


def _bank_facts(row: RosterRow, known: Row[Any], keyring: Keyring) -> list[_Fact]:
    """Give where a member is paid, likewise; nothing is stored of one whose first account is not live yet."""
    number = None
    if known.bank_account_id is not None:
        number = keyring.open(known.sealed_number, bank_account_context(known.bank_account_id)).decode()
    return [
        ("routing_number", row.routing_number, known.routing_number),
        ("account_number", row.account_number.get_secret_value(), number),
        ("account_type", row.account_type.value, known.account_type),
    ]


def _differences(line: int, row: RosterRow, facts: Iterable[_Fact]) -> Iterable[Finding]:
    """Find what an import may not change of a member on file."""
    for column, given, stored in facts:
        if given != stored:
            hidden = column in {"routing_number", "account_number", "account_type", "tin"}
            yield Finding(
                rule="on_file_stays",
                element=column,
                expected="what is on file" if hidden else f"{stored}, which is on file",
                found="another value" if hidden else str(given),
                line=line,
                advice=f"Pharmacy {row.ncpdp_id}: an import adds and ends members and sets later fees; "
                "this is a change for a second person, nothing was imported.",
            )


def _add_members(
    connection: Connection, rows: Sequence[RosterRow], keyring: Keyring, *, first_wait: bool
) -> list[tuple[UUID, RosterRow]]:
    """Add members; give those whose first account is still to be asked for."""
    names = sorted({str(row.ncpdp_id) for row in rows})
    known = dict(_pharmacies(connection, names))
    missing = [{"ncpdp_id": name} for name in names if name not in known]
    if missing:
        _add(connection, insert(Pharmacy).returning(Pharmacy.pharmacy_id), missing)
        known = dict(_pharmacies(connection, names))
    member_ids = list(connection.execute(_QUERIES["new_ids"], {"count": len(rows)}).scalars())
    account_ids = list(connection.execute(_QUERIES["new_ids"], {"count": len(rows)}).scalars())
    members = list(zip(rows, member_ids, strict=True))
    owners = [{"owner_id": member_id, "kind": "member"} for member_id in member_ids]
    _add(connection, insert(Owner).returning(Owner.owner_id), owners)
    stores = [_member(member_id, known[row.ncpdp_id], row) for row, member_id in members]
    _add(connection, insert(Member).returning(Member.member_id), stores)
    identifiers = [
        {"kind": kind, "value": str(value), "valid": _membership(row), "member_id": member_id}
        for row, member_id in members
        for kind, value in (("NCPDP", row.ncpdp_id), ("NPI", row.npi))
    ]
    _add(connection, insert(MemberIdentifier).returning(MemberIdentifier.member_id), identifiers)
    contracts = [_contract(member_id, row) for row, member_id in members]
    _add(connection, insert(Contract).returning(Contract.member_id), contracts)
    if first_wait:
        return [(member_id, row) for row, member_id in members]
    accounts = [
        _bank_account(account_id, member_id, row, keyring)
        for (row, member_id), account_id in zip(members, account_ids, strict=True)
    ]
    if accounts:
        columns = {name: [account[name] for account in accounts] for name in accounts[0]}
        connection.execute(_QUERIES["add_bank_accounts"], columns)
    return []


def _add(connection: Connection, returning: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows in few statements, as SQLAlchemy does when they return something: triggers ask once for each."""
    connection.execute(returning, rows).close()


def _pharmacies(connection: Connection, names: list[str]) -> Iterable[tuple[str, int]]:
    rows = connection.execute(select(Pharmacy.ncpdp_id, Pharmacy.pharmacy_id).where(Pharmacy.ncpdp_id.in_(names)))
    return ((row.ncpdp_id, row.pharmacy_id) for row in rows)


def _membership(row: RosterRow) -> Range[date]:
    bounds: Any = "[)" if row.member_until is None else "[]"
    return Range(row.member_since, row.member_until, bounds=bounds)


def _member(member_id: UUID, pharmacy_id: int, row: RosterRow) -> dict[str, Any]:
    return {
        "member_id": member_id,
        "pharmacy_id": pharmacy_id,
        "membership": _membership(row),
        "legal_name": row.legal_name,
        "dba_name": row.dba_name,
        "tin": str(row.tin),
        "state": row.state,
        "payout_schedule": str(row.payout_schedule),
        "payout_minimum_cents": row.payout_minimum_cents or 0,
    }


def _contract(member_id: UUID, row: RosterRow) -> dict[str, Any]:
    bounds: Any = "[)" if row.member_until is None else "[]"
    in_force = Range(row.fee_since, row.member_until, bounds=bounds)
    return {"member_id": member_id, "in_force": in_force, "monthly_fee_cents": row.monthly_fee_cents}


def _bank_account(account_id: UUID, member_id: UUID, row: RosterRow, keyring: Keyring) -> dict[str, Any]:
    number = row.account_number.get_secret_value()
    return {
        "bank_account_id": account_id,
        "member_id": member_id,
        "since": row.member_since,
        "routing_number": str(row.routing_number),
        "account_type": row.account_type.value,
        "sealed_number": keyring.seal(number.encode(), bank_account_context(account_id)),
        "last_four": number[-4:],
    }


class Directory:
    """The identifiers of all members, in memory; a nation of pharmacies is some forty thousand rows."""

    def __init__(self, rows: Iterable[tuple[str, str, str, UUID]]) -> None:
        self._ranges: dict[str, list[tuple[str, str, UUID]]] = {}
        for identifier, since, until, member_id in rows:
            self._ranges.setdefault(identifier, []).append((since, until, member_id))

    @classmethod
    def load(cls, connection: Connection) -> "Directory":
        """Read the directory as it is now."""
        rows = connection.execute(_QUERIES["identifiers"])
        return cls((row.identifier, row.since, row.until, row.member_id) for row in rows)

    def member(self, identifier: str, day: str) -> UUID | None:
        """Name the member that an identifier (``NPI:…``, ``NCPDP:…``) names on a day (``CCYYMMDD``), or None."""
        for since, until, member_id in self._ranges.get(identifier, ()):
            if since <= day <= until:
                return member_id
        return None


def unknown_payee_ids(connection: Connection, identifiers: Iterable[str]) -> dict[str, int]:
    """Give the numbers of identifiers that name no member, registering those seen for the first time."""
    asked = sorted(set(identifiers))
    connection.execute(_QUERIES["unknown_payees"], {"identifiers": asked})
    rows = connection.execute(_QUERIES["unknown_payee_ids"], {"identifiers": asked})
    return {row.identifier: row.unknown_payee_id for row in rows}


def find_member(connection: Connection, asked: str, on: date | None = None) -> UUID:
    """Find a member by NCPDP id (the one on that date, else the latest) or member id.

    Raises:
        UnknownMemberError: there is none.
    """
    rows = connection.execute(_QUERIES["find_member"], {"asked": asked}).all()
    fitting = [row for row in rows if on is None or (row.since <= on and (row.until is None or on <= row.until))]
    if not (fitting or rows):
        raise UnknownMemberError(asked)
    member_id: UUID = (fitting or rows)[-1].member_id
    return member_id


def list_members(connection: Connection) -> list[MemberRow]:
    """List all members by NCPDP id."""
    return [MemberRow(**row) for row in connection.execute(_QUERIES["list_members"]).mappings()]
