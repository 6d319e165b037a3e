"""The generated day is what it says it is, by arithmetic that shares nothing with the generator."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from app.demo.day import Arrival, Day, ExpectedSet, Funding, Shape, Verdict
from app.demo.files import generate_day, settlement_statement
from app.demo.pharmacies import ROSTER_COLUMNS
from app.demo.remittance import Interchange, Payee, Payer, RemittanceSet, Section, Syntax
from app.demo.remittance_writer import write_remittance
from schemas.errors import WrongUseError
from schemas.identifiers import AbaRouting, Ncpdp, Npi, PayerId, Tin
from tests.support.naive_835 import ReadSet, cents_of, read_835

ACCOUNT = "4471002983"
SIZES = {"small": (12, 6, 300), "one payer": (10, 1, 130), "many payers": (30, 9, 1_000)}


@pytest.fixture(scope="module", params=list(SIZES.values()), ids=list(SIZES))
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """Generate days of several sizes."""
    pharmacies, payers, claims = request.param
    folder = tmp_path_factory.mktemp("day")
    return generate_day(folder, pharmacies=pharmacies, payers=payers, claims=claims, bank_account=ACCOUNT)


def _pairs(day: Day) -> Iterator[tuple[ExpectedSet, ReadSet]]:
    for expected in day.files:
        yield from zip(expected.sets, read_835(expected.path).sets, strict=True)


def test_every_set_but_one_balances_by_all_three_rules(day: Day) -> None:
    """Service lines, claims and payments foot to the cent, except in the one set that is meant to be refused."""
    verdicts: Counter[Verdict] = Counter()
    for expected, found in _pairs(day):
        verdicts[expected.verdict] += 1
        off = found.payment_cents - (found.paid_cents - found.plb_cents)
        assert found.payment_cents == expected.payment_cents
        if expected.verdict is Verdict.QUARANTINED:
            assert (found.unbalanced_services, found.unbalanced_claims, off) == (1, 1, 12_50)
        else:
            assert (found.unbalanced_services, found.unbalanced_claims, off) == (0, 0, 0)
    assert verdicts[Verdict.QUARANTINED] == 1
    assert verdicts[Verdict.DUPLICATE] >= 1


def test_envelopes_count_what_they_enclose(day: Day) -> None:
    """SE01, GE01 and IEA01 are right, and the control numbers of both ends agree."""
    for expected in day.files:
        found = read_835(expected.path)
        isa, gs, *_, ge, iea = found.segments
        assert (len("*".join(isa)) + 1, isa[13]) == (106, iea[2])
        assert (gs[6], iea[1]) == (ge[2], "1")
        assert ge[1] == str(len(found.sets))
        for each in found.sets:
            assert each.segments[-1] == ["SE", str(len(each.segments)), each.segments[0][2]]


def test_control_numbers_of_interchanges_differ(day: Day) -> None:
    """No two files of the day bear the same ISA13, the re-sent one included."""
    numbers = [read_835(each.path).segments[0][13] for each in day.files]
    assert len(set(numbers)) == len(numbers)


def test_store_totals_of_chains_are_right(day: Day) -> None:
    """TS304 counts the claims of its LX and TS305 sums their charges."""
    chains = [each for each in day.files if each.shape is Shape.CHAIN]
    assert chains
    for expected in chains:
        for each in read_835(expected.path).sets:
            assert each.ts3 == list(zip(each.lx_counts, each.lx_charges, strict=True))


def test_each_store_gets_what_the_day_says(day: Day) -> None:
    """The claims and adjustments of a store, found by the identifier nearest to the claim, equal its expected share."""
    for expected, found in _pairs(day):
        claims: Counter[str] = Counter()
        cents: Counter[str] = Counter()
        for share in expected.shares:
            named = share.npi if share.npi in found.claims_by_store else share.ncpdp_id
            claims[named] += share.claims
            cents[named] += share.claims_cents
            assert found.plb_by_store[share.npi] == share.plb_cents
        assert found.claims_by_store == claims
        assert found.cents_by_store == cents
        assert found.trace == expected.trace_number
        assert found.claims_by_store.total() == expected.claims


def test_the_day_has_as_many_claims_as_asked(tmp_path: Path) -> None:
    """The CLPs written, and the progress told, sum to the number asked for; the re-sent file is not counted."""
    told: list[int] = []
    day = generate_day(tmp_path, pharmacies=12, claims=300, bank_account=ACCOUNT, progress=told.append)
    fresh = (found for expected, found in _pairs(day) if expected.verdict is not Verdict.DUPLICATE)
    assert sum(each.claims_by_store.total() for each in fresh) == 300
    assert day.claims == 300
    assert sum(told) == 300


def test_the_bank_file_foots_and_pays_what_was_advised(day: Day) -> None:
    """Every credit equals what the 835 files announce under its trace, unless it is meant to differ."""
    announced: Counter[str] = Counter()
    for expected, found in _pairs(day):
        if expected.verdict is Verdict.ACCEPTED:
            announced[found.trace] += found.payment_cents
    lines = day.bank_file.read_text(encoding="ascii").splitlines()
    booked = {line.split(",")[4]: int(line.split(",")[2]) for line in lines if line.startswith("16,")}
    assert sum(booked.values()) == day.closing_cents
    assert any(f",015,{day.closing_cents}," in line for line in lines if line.startswith("03,"))
    assert list(booked) == [each.bank_reference for each in day.deposits]
    for each in day.deposits:
        assert booked[each.bank_reference] == each.amount_cents > 0
        if each.arrival is Arrival.MATCHED:
            assert announced.pop(each.trace_number) == each.amount_cents
        elif each.arrival is Arrival.SHORT:
            assert 0 < each.amount_cents < announced.pop(each.trace_number)
        else:
            assert each.trace_number not in announced
        if each.payer_id is not None:
            assert f"TRN*1*{each.trace_number}*{each.payer_id}" in each.text
    waiting = {each.trace_number for each in day.sets if each.funding in {Funding.AWAITED, Funding.ZERO}}
    assert set(announced) == waiting


def test_money_and_advices_meet_in_every_way(day: Day) -> None:
    """One short deposit, one advice without money, one that pays nothing, and money without advice are all there."""
    fundings = {(each.trace_number, each.funding) for each in day.sets}
    counted = Counter(funding for _, funding in fundings)
    assert (counted[Funding.SHORT], counted[Funding.AWAITED], counted[Funding.ZERO]) == (1, 1, 1)
    arrivals = Counter(each.arrival for each in day.deposits)
    assert (arrivals[Arrival.FLOAT], arrivals[Arrival.SHORT]) == (1, 1)
    quarantined = {each.trace_number for each in day.sets if each.verdict is Verdict.QUARANTINED}
    unmatched = {each.trace_number for each in day.deposits if each.arrival is Arrival.UNMATCHED}
    assert quarantined < unmatched
    assert len(unmatched) == 2


def test_the_set_that_pays_nothing_is_a_notification(day: Day) -> None:
    """BPR04 is NON with nothing in BPR02, and the payer carries the negative by an FB below zero."""
    ((expected, found),) = [pair for pair in _pairs(day) if pair[0].funding is Funding.ZERO]
    assert [*found.segments[1][1:5], found.segments[1][16]] == ["H", "0", "C", "NON", "20261120"]
    assert found.plb_cents == found.paid_cents < 0
    assert all(share.share_cents == 0 for share in expected.shares)


def test_the_special_members_are_what_they_are_named_for(day: Day) -> None:
    """One owes more than it earned and the float covers it, one is below its fee, one is idle, one pays no fee."""
    with day.roster.open(encoding="utf-8", newline="") as stream:
        fees = {row["ncpdp_id"]: cents_of(row["monthly_fee"]) for row in csv.DictReader(stream)}
    available = day.funded_cents()
    assert -day.float_cents < available[day.negative_member] < 0
    assert 0 < available[day.small_member] < fees[day.small_member]
    assert day.idle_member in fees
    assert all(share.ncpdp_id != day.idle_member for each in day.sets for share in each.shares)
    assert [ncpdp_id for ncpdp_id, cents in fees.items() if cents == 0] == [day.free_member]
    assert [key for key, cents in available.items() if cents < 0] == [day.negative_member]
    assert available[""] > 0


def test_the_unknown_store_is_on_no_roster(day: Day) -> None:
    """Its NPI stands in exactly one set and in no row; all other stores are members."""
    with day.roster.open(encoding="utf-8", newline="") as stream:
        members = {row["npi"]: row["ncpdp_id"] for row in csv.DictReader(stream)}
    strangers = [share.npi for each in day.sets for share in each.shares if share.npi not in members]
    assert strangers == [day.unknown_store]
    known = [share for each in day.sets for share in each.shares if share.npi in members]
    assert all(members[share.npi] == share.ncpdp_id for share in known)


def test_the_roster_holds_valid_and_unique_identifiers(day: Day) -> None:
    """Check digits hold, no id occurs twice, and the columns are the agreed ones."""
    with day.roster.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ROSTER_COLUMNS
    for column, kind in {"npi": Npi, "ncpdp_id": Ncpdp, "tin": Tin}.items():
        assert len({kind(row[column]) for row in rows}) == len(rows)
    for row in rows:
        assert AbaRouting(row["routing_number"])
        assert row["account_number"].isdigit()
        assert len(row["account_number"]) <= 17
        assert {row["account_type"], row["payout_schedule"]} <= {"checking", "savings", "daily", "weekly"}
        assert date.fromisoformat(row["member_since"]) <= date(2026, 11, 6)
        assert row["fee_since"] == row["member_since"]


def test_fills_fall_into_the_membership_of_their_store(tmp_path: Path) -> None:
    """No claim is dated before its pharmacy joined, nor after the payment."""
    day = generate_day(tmp_path, pharmacies=12, claims=600, bank_account=ACCOUNT)
    with day.roster.open(encoding="utf-8", newline="") as stream:
        since = {
            row[key]: row["member_since"].replace("-", "")
            for row in csv.DictReader(stream)
            for key in ("npi", "ncpdp_id")
        }
    checked = 0
    for _, found in _pairs(day):
        store = found.payee
        for segment in found.segments:
            if segment[0] == "TS3" or segment[:2] == ["NM1", "82"]:
                store = segment[1] if segment[0] == "TS3" else segment[9]
            if segment[:2] in (["DTM", "232"], ["DTM", "472"]):
                assert since.get(store, "") <= segment[2] < "20261120"
                checked += 1
    assert checked > 600


def test_payers_are_listed_with_the_ids_of_their_traces(day: Day) -> None:
    """Every TRN03 and ACH company id is a payer of the list."""
    with day.payers.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == ("payer_id", "name", "ach_company_ids", "aliases")
    listed = {PayerId(row["payer_id"]) for row in rows}
    assert len(listed) == len(rows)
    assert {each.payer_id for each in day.sets} <= listed
    aliases = [alias for row in rows for alias in row["aliases"].split("|")]
    assert len(aliases) == len(set(aliases))


def test_statuses_and_payer_adjustments_of_all_kinds_occur(tmp_path: Path) -> None:
    """Paid, denied and reversed claims, and recoveries, interest, forward balances and others, all are in a day."""
    day = generate_day(tmp_path, pharmacies=40, claims=3_000, bank_account=ACCOUNT)
    statuses: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    rejected = 0
    for _, found in _pairs(day):
        statuses += found.statuses
        reasons += found.plb_reasons
        rejected += sum(segment[:2] == ["LQ", "RX"] for segment in found.segments)
    assert set(statuses) == {"1", "4", "22"}
    assert set(reasons) == {"WO", "L6", "FB", "CS"}
    assert rejected == statuses["4"]


def test_a_claim_is_paid_taken_back_and_paid_again_in_one_set(day: Day) -> None:
    """The same CLP occurs twice with its reversal between; counting it once would break the set."""
    first = read_835(day.files[0].path).sets[0]
    clps = [segment for segment in first.segments if segment[0] == "CLP"]
    paid, taken, again = clps[:3]
    assert paid == again
    assert (taken[1], taken[2], taken[7]) == (paid[1], "22", paid[7])
    assert cents_of(taken[4]) == -cents_of(paid[4]) < 0


def test_the_file_sent_again_differs_only_in_its_envelope(day: Day) -> None:
    """The re-sent file has the sets of the first one under another control number."""
    first, again = (
        next(each for each in day.files if each.sets[0].verdict is verdict and each.shape is Shape.PER_PHARMACY)
        for verdict in (Verdict.ACCEPTED, Verdict.DUPLICATE)
    )
    sent, resent = read_835(first.path), read_835(again.path)
    assert sent.raw != resent.raw
    assert [each.segments for each in sent.sets] == [each.segments for each in resent.sets]
    assert {each.trace for each in sent.sets} == {sent.sets[0].trace}


def test_files_are_written_the_ways_payers_write_them(day: Day) -> None:
    """Lines of LF, no lines at all, 80 columns that cut the ISA, control characters, and gzip."""
    lines, plain, wrapped, control, packed = (each.path for each in day.files[:5])
    assert all(line.endswith(b"~") for line in lines.read_bytes().splitlines())
    assert b"\n" not in plain.read_bytes()
    *full, last = wrapped.read_bytes().split(b"\r\n")
    assert {len(line) for line in full} == {80}
    assert 0 < len(last) <= 80
    assert control.read_bytes()[3:4] == b"\x1d"
    assert control.read_bytes()[105:106] == b"\x1e"
    assert packed.read_bytes()[:2] == b"\x1f\x8b"


def test_remittances_are_readable_by_their_owner_alone(day: Day) -> None:
    """Files that would hold patients have mode 0600."""
    assert {each.stat().st_mode & 0o777 for each in day.remittances} == {0o600}


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    """A day is a function of its parameters: another seed makes another day, another run does not."""
    days = [
        generate_day(tmp_path / name, pharmacies=12, claims=300, seed=seed, bank_account=ACCOUNT)
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    ]
    first, second, other = (
        {path.name: path.read_bytes() for path in sorted(day.roster.parent.iterdir())} for day in days
    )
    assert first == second
    assert first["roster.csv"] != other["roster.csv"]
    assert days[0].deposits == days[1].deposits != days[2].deposits


def test_another_date_moves_the_whole_day(tmp_path: Path) -> None:
    """BPR16, the bank's date and the traces follow the business date."""
    day = generate_day(tmp_path, pharmacies=12, claims=300, business_date=date(2027, 3, 1), bank_account=ACCOUNT)
    assert all(found.segments[1][16] == "20270301" for _, found in _pairs(day))
    assert "270301" in day.bank_file.read_text(encoding="ascii").splitlines()[0]
    assert all("270301" in each.trace_number for each in day.sets)


@pytest.mark.parametrize(("pharmacies", "payers", "claims"), [(9, 6, 300), (12, 0, 300), (12, 6, 119), (12, 9, 179)])
def test_a_day_too_small_is_refused(tmp_path: Path, pharmacies: int, payers: int, claims: int) -> None:
    """Too few pharmacies, payers or claims are wrong use, and nothing is written."""
    with pytest.raises(WrongUseError, match="at least"):
        generate_day(tmp_path, pharmacies=pharmacies, payers=payers, claims=claims, bank_account=ACCOUNT)
    assert not list(tmp_path.iterdir())


def test_the_next_statement_shows_the_payout_debited() -> None:
    """The debit stands with company id, description and reference, and opening less debit is closing."""
    statement = settlement_statement(
        bank_account=ACCOUNT,
        bank_date=date(2026, 11, 23),
        opening_cents=1_000_000_00,
        debit_cents=987_654_32,
        company_id="1999999999",
        reference="CYCLE7A",
    ).decode("ascii")
    assert ",010,100000000," in statement
    assert ",015,1234568," in statement
    (debit,) = [line for line in statement.splitlines() if line.startswith("16,")]
    assert debit.startswith("16,455,98765432,")
    assert all(part in debit for part in ("1999999999", "HCCLAIMPMT", "CYCLE7A"))


def test_the_writer_refuses_an_element_that_holds_a_delimiter() -> None:
    """A name with the element separator in it would shift every element behind it."""
    routing = AbaRouting.from_eight("07100001")
    remittance = RemittanceSet(
        control_number="0001",
        trace_number="T1",
        payment_cents=0,
        settled_on=date(2026, 11, 20),
        payer=Payer(PayerId("1361234567"), "PAYER", routing, "1", "12", "NET"),
        payee=Payee("STAR*PHARMACY", "XX", Npi.from_nine("123456789")),
        receiver_routing=routing,
        receiver_account="1",
        sections=(Section(1, ()),),
    )
    interchange = Interchange("S", "R", 1, date(2026, 11, 20))
    with pytest.raises(ValueError, match="delimiter"):
        write_remittance(io.BytesIO(), interchange, [remittance])
    assert write_remittance(io.BytesIO(), interchange, [remittance], Syntax(element="|")) == 0
