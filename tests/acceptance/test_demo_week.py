"""The week's demonstration and its figures: what it paid, kept, gave back and proved, against a plan made before it.

The plan reckons every payment with neither the system's code nor its database; ``differences`` holds one to the other.
The amounts that stand here are those of the seed that ``centralpay demo --days 7`` uses.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.demo.home import quiet
from app.demo.pharmacies import Pharmacy
from app.demo.week.books import Balances, balances_of
from app.demo.week.checking import differences
from app.demo.week.clearing import CORRECTED_ACCOUNT
from app.demo.week.days import DayDone, WeekClock
from app.demo.week.office import SET_UP, Office
from app.demo.week.people import NEW_ACCOUNT, OPERATOR
from app.demo.week.plan import Week, WeekSize, plan_week
from app.demo.week.telling import stories, tell_where
from app.session import BANK_ZONE, Session, opened
from app.settings import Settings
from ingest.cases import CaseKind, list_cases
from ledger.balances import trial_balance
from payouts.cycle.cycles import CycleSummary, list_cycles
from payouts.fees.register import FeeSums, register
from payouts.nacha.reader import read_nacha
from payouts.nacha.records import Entry
from payouts.statements.model import Statement
from payouts.statements.reading import statements
from tests.conftest import NewDatabase
from tests.support.command import Shell

MONDAY, TUESDAY, WEDNESDAY, THANKSGIVING, FRIDAY = (date(2026, 11, day) for day in range(23, 28))
LAST_MONDAY, FIRST_OF_DECEMBER, LAST_DAY = date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)
DAYS = (MONDAY, TUESDAY, WEDNESDAY, FRIDAY, LAST_MONDAY, FIRST_OF_DECEMBER, LAST_DAY)
NOVEMBER, DECEMBER = date(2026, 11, 1), date(2026, 12, 1)
ALL_WEEK = WeekSize(days=7, pharmacies=60, claims=1_000, seed=20261120)
SMALL = WeekSize(days=4, pharmacies=24, claims=60, seed=7)


@dataclass(frozen=True)
class Lived:
    """A week that is over."""

    week: Week
    done: tuple[DayDone, ...]
    session: Session
    shell: Shell
    out: Path

    @property
    def balances(self) -> Balances:
        """What stands in the accounts."""
        with self.session.reading() as connection:
            return balances_of(trial_balance(connection))

    def cycles(self) -> list[CycleSummary]:
        """Give all cycles."""
        with self.session.reading() as connection:
            return list_cycles(connection)

    def fees(self) -> FeeSums:
        """Give the fee register's totals of both months."""
        with self.session.reading() as connection:
            return register(connection, NOVEMBER, DECEMBER).totals

    def statements(self) -> list[Statement]:
        """Give everybody's statement of the time until the last day."""
        with self.session.reading() as connection:
            return list(statements(connection, None, NOVEMBER, LAST_DAY))

    def entries(self, day: date) -> dict[str, Entry]:
        """Give the entries of the payments that were handed to the bank on a day, by NCPDP id."""
        (done,) = (each for each in self.done if each.day == day)
        assert done.nacha_file is not None
        path = self.out / f"{day}" / done.nacha_file
        with path.open("rb") as stream:
            files = read_nacha(stream, path.name).accepted_files()
        found = [entry for file in files for batch in file.batches for entry in batch.entries]
        return {entry.identification.strip(): entry for entry in found}

    def paid(self, store: Pharmacy) -> dict[date, int]:
        """Give a store's payments by day, in cents."""
        return {each.day: each.paid[store.ncpdp_id].amount_cents for each in self.done if store.ncpdp_id in each.paid}


def live(url: str, folder: Path, size: WeekSize) -> Iterator[Lived]:
    """Live through a week in a database; the session is open until the generator ends."""
    settings = Settings(home=folder / "home", database_url=SecretStr(url))
    account = settings.bank_account.get_secret_value()
    week = plan_week(folder / "in", size, MONDAY, account, _unseen)
    clock = WeekClock(datetime.combine(week.days[0], SET_UP, BANK_ZONE))
    with opened(OPERATOR, quiet, settings, clock=clock) as session:
        office = Office(session, week, clock, folder / "out")
        office.begin()
        done = tuple(office.live(place) for place in range(len(week.days)))
        office.end()
        yield Lived(week, done, session, Shell(settings.home, url), folder / "out")


def _unseen(claims: int) -> None:
    del claims


@pytest.fixture(scope="module")
def lived(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Give the week that the demonstration lives through, once for all tests here."""
    with new_database() as url:
        yield from live(url, tmp_path_factory.mktemp("week"), ALL_WEEK)


def test_everything_is_as_it_was_reckoned(lived: Lived) -> None:
    """Every payment, fee, return, debt, hold, and what is left of each member's money: to the cent, on every day."""
    assert [each.day for each in lived.done] == list(DAYS)
    assert differences(lived.week, lived.done, lived.balances) == []
    for expected, done in zip(lived.week.expected.days, lived.done, strict=True):
        assert expected.paid_cents == done.paid_cents > 0
        assert expected.fee_cents == done.fee_cents > 0
        assert done.dropped == 0


def test_a_reckoning_that_is_wrong_is_found(lived: Lived) -> None:
    """The comparison sees a cent: a week paid otherwise on one day, and a balance one cent off, are both said."""
    first, *others = lived.done
    ncpdp_id, paid = next(iter(first.paid.items()))
    less = paid.model_copy(update={"amount_cents": paid.amount_cents - 1})
    tampered = first.model_copy(update={"paid": {**first.paid, ncpdp_id: less}})
    key = (ncpdp_id, "due_available")
    moved = {**lived.balances, key: lived.balances.get(key, 0) + 1}
    said = differences(lived.week, [tampered, *others], moved)
    assert len(said) == 2
    assert all(ncpdp_id in each for each in said)


def test_the_weeks_sums(lived: Lived) -> None:
    """The sums that the demonstration prints, in cents, for its own seed."""
    expected = lived.week.expected
    assert (lived.week.claims, sum(each.paid_cents for each in lived.done)) == (7_158, 376_777_44)
    assert [each.paid_cents for each in lived.done] == [
        *(34_792_52, 21_084_60, 23_433_95, 78_688_95, 162_852_64, 23_382_33, 32_542_45)
    ]
    assert (expected.assessed_cents, expected.waived_cents, expected.collected_cents) == (23_300_00, 200_00, 16_100_00)
    assert lived.balances["house", "operating_float"] == expected.float_cents == 41_100_00


def test_nothing_is_paid_on_thanksgiving(lived: Lived) -> None:
    """Thursday 26 November: no cycle, no money that arrives; the scheduler's nightly proofs run all the same."""
    cycles = lived.cycles()
    assert [each.business_date for each in cycles] == list(DAYS)
    assert THANKSGIVING not in {each.effective_on for each in cycles}
    assert {each.effective_on for each in cycles if each.business_date == WEDNESDAY} == {FRIDAY}
    (friday,) = (each for each in lived.done if each.day == FRIDAY)
    assert friday.closed_before == (THANKSGIVING,)
    on_holiday = {each.job for each in friday.runs if each.at.astimezone(BANK_ZONE).date() == THANKSGIVING}
    assert "verify" in on_holiday
    assert "cycle" not in on_holiday


def test_members_are_paid_on_their_days(lived: Lived) -> None:
    """Fridays on 27 November alone, Thursdays too for Thanksgiving; twice a month and monthly on Monday the 30th."""
    allowed = {"weekly:fri": {FRIDAY}, "weekly:thu": {FRIDAY}, "twice_monthly": {LAST_MONDAY}, "monthly": {LAST_MONDAY}}
    seen: Counter[str] = Counter()
    for store in lived.week.cast.members:
        days = set(lived.paid(store))
        if store != lived.week.cast.leaver and store.payout_schedule in allowed:
            assert days <= allowed[store.payout_schedule]
            seen[store.payout_schedule] += len(days)
    assert {name: count > 0 for name, count in seen.items()} == dict.fromkeys(allowed, True)
    assert set(lived.paid(lived.week.cast.leaver)) == {FRIDAY}


def test_a_small_balance_waits_for_its_minimum(lived: Lived) -> None:
    """At 1,000.00 and more a payment: three days of some 350.00 wait, on the fourth day 1,250.96 leave at once."""
    saver = lived.week.cast.saver
    assert [each.waiting.get(saver.ncpdp_id) for each in lived.done[:3]] == ["below_minimum"] * 3
    assert lived.paid(saver) == {FRIDAY: 1_250_96}


def test_fees_are_contracts_times_months_less_what_was_waived(lived: Lived) -> None:
    """Each member's fee once for November and once for December; none from who left on the 25th; one waived by two."""
    cast = lived.week.cast
    stays = [store for store in cast.members if store != cast.leaver]
    assessed = sum(2 * store.monthly_fee_cents for store in stays)
    sums = lived.fees()
    assert sums.assessed_cents == sums.due_cents == assessed == 23_300_00
    assert sums.waived_cents == cast.waived.monthly_fee_cents == 200_00
    assert sums.collected_cents == sum(each.fee_cents for each in lived.done)
    assert sums.open_cents == assessed - sums.waived_cents - sums.collected_cents
    assert sums.difference_cents == 0
    assert [each.assessed_cents > 0 for each in lived.done] == [True, False, False, False, False, True, False]


def test_a_negative_is_covered_and_recovered(lived: Lived) -> None:
    """Taken back 7,057.82 more than earned; the float covers it; the next money pays the float first.

    | day | due | advance | paid | fee |
    | --- | --- | --- | --- | --- |
    | Mon 23 | minus 7,057.82 | 7,057.82 | | |
    | Wed 25: 9,728.52 come | 0 | 0 | 2,470.70 | 200.00 |
    """
    store = lived.week.cast.negative
    (made,) = (each for each in lived.statements() if each.ncpdp_id == store.ncpdp_id)
    assert [each.amount_cents for each in made.advices] == [-7_057_82, 9_728_52]
    assert [each.waiting.get(store.ncpdp_id) for each in lived.done[:3]] == ["negative", "negative", None]
    assert lived.paid(store) == {WEDNESDAY: 9_728_52 - 7_057_82 - 200_00}
    assert lived.balances.get((store.ncpdp_id, "operating_advance"), 0) == 0
    total = lived.week.float_cents + sum(each.fee_cents for each in lived.done)
    assert lived.balances["house", "operating_float"] == total


def test_a_closed_account_is_paid_again_into_another(lived: Lived) -> None:
    """R02: 4,134.70 of Monday are back on Friday and leave again on 2 December, with what came since, elsewhere."""
    store = lived.week.cast.closed
    first, again = lived.entries(MONDAY)[store.ncpdp_id], lived.entries(LAST_DAY)[store.ncpdp_id]
    assert (first.account_number.strip(), first.amount_cents) == (store.account_number, 4_134_70)
    assert lived.done[3].returned == {store.ncpdp_id: 4_134_70}
    assert [each.waiting.get(store.ncpdp_id) for each in lived.done[4:6]] == ["account_stopped"] * 2
    assert (again.account_number.strip(), again.amount_cents) == (NEW_ACCOUNT, 5_263_33)
    assert (lived.out / f"{FRIDAY}" / f"{FRIDAY}-prenotes-A.ach").is_file()


def test_a_refused_payment_is_paid_again_into_the_same_account(lived: Lived) -> None:
    """R23: 2,139.03 of Tuesday are back on Monday the 30th; people look, two of them send it again that day."""
    store = lived.week.cast.refused
    assert lived.done[4].returned == {store.ncpdp_id: 2_139_03}
    assert lived.paid(store) == {TUESDAY: 2_139_03, LAST_MONDAY: 2_139_03}
    numbers = {lived.entries(day)[store.ncpdp_id].account_number.strip() for day in (TUESDAY, LAST_MONDAY)}
    assert numbers == {store.account_number}


def test_a_correction_is_used_from_the_next_payment_on(lived: Lived) -> None:
    """C03: Monday's payment goes to the old account, Friday's to the corrected one, once a second person approved."""
    store = lived.week.cast.corrected
    accounts = [lived.entries(day)[store.ncpdp_id].account_number.strip() for day in (MONDAY, FRIDAY)]
    assert accounts == [store.account_number, CORRECTED_ACCOUNT]


def test_a_dispute_keeps_a_thousand_back_for_a_week(lived: Lived) -> None:
    """1,000.00 are kept back on Tuesday, looked at on the 30th, let go by two people and paid on 1 December."""
    store = lived.week.cast.held
    assert lived.done[4].exceptions.get("hold_review") == 1
    assert lived.paid(store)[FIRST_OF_DECEMBER] == 1_000_00 - lived.done[5].paid[store.ncpdp_id].fee_cents
    assert "hold_review" not in lived.done[6].exceptions
    assert lived.balances.get((store.ncpdp_id, "held"), 0) == 0


def test_money_and_835_meet_whichever_comes_first(lived: Lived) -> None:
    """Money before its 835, an 835 before its money, a payment in two parts, a wrong 835 that is mended: all funded."""
    labels = {each.label: each.funded_at for each in lived.week.remittances if each.arrives <= 4}
    assert (labels["money-first"], labels["835-first"], labels["short"], labels["mended"]) == (3, 3, 4, 4)
    assert [each.exceptions.get("deposit_short", 0) for each in lived.done] == [0, 0, 1, 1, 0, 0, 0]
    assert [len(each.refused) for each in lived.done] == [0, 0, 0, 1, 0, 0, 0]
    (waiting,) = (each for each in lived.week.remittances if each.funded_at == 8)
    with lived.session.reading() as connection:
        without = [each for each in list_cases(connection) if each.kind is CaseKind.ADVICE_WITHOUT_DEPOSIT]
    assert [(each.subject, each.amount_cents) for each in without] == [(waiting.trace_number, waiting.payment_cents)]


def test_every_proof_holds_on_every_evening_and_every_night(lived: Lived) -> None:
    """All eleven in the evening; the scheduler's own nightly run said the same of each night, the holiday's too."""
    assert {(each.proofs_held, each.proofs) for each in lived.done} == {(11, 11)}
    nights = [run for each in lived.done for run in each.runs if run.job == "verify"]
    assert len(nights) == len(DAYS) + 3
    assert {run.said for run in nights} == {"all 11 proofs hold"}


def test_every_run_of_the_scheduler_was_done(lived: Lived) -> None:
    """No job failed, waited or was refused; each day has one proposal, at the cut-off."""
    runs = [run for each in lived.done for run in each.runs]
    assert {run.state for run in runs} == {"done"}
    proposals = [run.at.astimezone(BANK_ZONE) for run in runs if run.job == "cycle"]
    assert [(each.date(), each.hour) for each in proposals] == [(day, 15) for day in DAYS]


def test_statements_foot_and_tie_to_the_bank(lived: Lived) -> None:
    """Each payment of each statement is an entry handed to the bank: trace, amount, last four; and the other way round.

    What a statement closes with is what the ledger has: due, kept back, and what is not funded yet.
    """
    sent = {entry.trace_number: entry for day in DAYS for entry in lived.entries(day).values()}
    said: dict[str, tuple[int, str | None]] = {}
    with lived.session.reading() as connection:
        balances = balances_of(trial_balance(connection, LAST_DAY))
    for made in lived.statements():
        for each in made.payouts:
            if each.trace_number is not None:
                said[each.trace_number] = (each.amount_cents, each.account_last_four)
        kept = ("due_available", "due_unfunded", "held")
        assert made.closing_cents == sum(balances.get((made.ncpdp_id, account), 0) for account in kept)
    assert said == {trace: (each.amount_cents, each.account_number.strip()[-4:]) for trace, each in sent.items()}


def test_novembers_statements_are_issued_on_the_first_of_december(lived: Lived) -> None:
    """Every member with anything in November has its statement in every form; the JSON foots to its closing."""
    folder = lived.out / "statements" / "2026-11-01-to-2026-11-30"
    forms = Counter(path.suffix for path in folder.iterdir())
    assert set(forms) >= {".csv", ".json", ".xlsx"}
    assert set(forms.values()) == {len(list(folder.glob("*.json")))}
    stores = {path.stem for path in folder.glob("*.json")}
    assert stores >= {ncpdp_id for each in lived.done if each.day <= LAST_MONDAY for ncpdp_id in each.paid}
    for path in folder.glob("*.json"):
        made = Statement.model_validate_json(path.read_bytes())
        assert (made.from_date, made.to_date) == (NOVEMBER, LAST_MONDAY)


def test_each_day_leaves_what_one_wants_to_look_at(lived: Lived) -> None:
    """A folder a day: the NACHA file, a notice of each payment as PDF, the members' own 835s, the day's figures."""
    for done in lived.done:
        folder = lived.out / f"{done.day}"
        paid = {ncpdp_id for ncpdp_id, each in done.paid.items() if each.amount_cents}
        assert done.nacha_file is not None
        assert (folder / done.nacha_file).is_file()
        assert {path.stem[:7] for path in (folder / "notices").glob("*.pdf")} == paid
        assert any((folder / "835").iterdir())
        assert json.loads((folder / "day.json").read_text())["cycle_id"] == done.cycle_id


def test_where_to_look_can_be_looked_at(lived: Lived, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command that the end of the week names for a story stands on a line, runs, and shows the store."""
    tell_where(lived.week, "the/home")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Look on: export CENTRALPAY_HOME=the/home"
    assert "certificates population --month 2026-11" in lines[2]
    assert "--as olga" in lines[-1]
    for _, ncpdp_id, *_, words in stories(lived.week):
        assert [line for line in lines if line.endswith(f".venv/bin/centralpay {words}")] != []
        ended = lived.shell.run(tuple(words.split()), user=OPERATOR)
        assert ended.code == 0, ended.err
        assert ncpdp_id in ended.out or "--format csv" in words


def test_the_same_seed_plans_the_same_week(tmp_path: Path) -> None:
    """A plan is its seed's: the same files and figures again, others of another seed."""
    account = Settings().bank_account.get_secret_value()
    folders = [tmp_path / name for name in ("one", "again", "other")]
    sizes = [SMALL, SMALL, replace(SMALL, seed=8)]
    one, again, other = (
        plan_week(folder, size, MONDAY, account, _unseen) for folder, size in zip(folders, sizes, strict=True)
    )
    assert one.expected == again.expected
    assert one.expected.days != other.expected.days
    written = [{path.relative_to(folder): path.read_bytes() for path in _files(folder)} for folder in folders]
    assert written[0] == written[1] != written[2]


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_command_lives_through_a_week_in_a_home_of_its_own(quick_path: Path) -> None:
    """``demo --days 2``: its own database; days, figures, proofs as JSON; nothing differs.

    Again in the same home it makes the same payments, fees, runs and sentences on every day.
    """
    shell = Shell(quick_path, "postgresql://nobody@nowhere.invalid/none")
    words = ("demo", "--days", "2", "--pharmacies", "24", "--claims", "60", "--json")
    first, again = (shell.process(words, user=None) for _ in range(2))
    assert (first.code, again.code) == (0, 0), first.err + again.err
    document = first.document
    assert [each["day"] for each in document["days"]] == [f"{MONDAY}", f"{TUESDAY}"]
    assert document["differences"] == []
    assert all(each["holds"] for each in document["proofs"])
    assert json.loads((quick_path / "demo" / "out" / "week.json").read_text())["figures"] == document["figures"]
    assert {**again.document, "seconds": 0} == {**document, "seconds": 0}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--days", "0"), "--days"),
        (("--days", "32"), "--days"),
        (("--days", "7", "--pharmacies", "5"), "at least 24 pharmacies"),
        (("--days", "7", "--claims", "59"), "at least 60 claims"),
        (("--days", "7", "--payers", "3"), "always has six"),
        (("--days", "7", "--date", "yesterday"), "no day"),
    ],
    ids=["no day", "too many days", "too few pharmacies", "too few claims", "payers", "no date"],
)
def test_a_week_that_can_not_be_is_wrong_use(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Too short, too long, too small, or no date: a sentence, exit code 2, and the last demonstration stays."""
    kept = tmp_path / "demo" / "kept"
    kept.parent.mkdir()
    kept.touch()
    ended = Shell(tmp_path, "").run(("demo", *words), user=None)
    assert ended.code == 2
    assert said in ended.err
    assert kept.exists()
