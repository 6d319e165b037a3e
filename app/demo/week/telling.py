"""What a demonstration week prints: a block for each day, and at its end who to look at, figures and proofs."""

from collections.abc import Iterator, Sequence
from datetime import date

from rich.markup import escape
from rich.table import Table

from app.cli.screen import SCREEN, print_table
from app.cli.verify import show_verdicts
from app.demo.home import who_acts
from app.demo.pharmacies import Pharmacy
from app.demo.week.days import DayDone
from app.demo.week.people import APPROVER, OPERATOR
from app.demo.week.plan import Week
from app.demo.week.reckoning import Expected
from app.demo.week.script import HOLD_CENTS
from ledger.proofs import Verdict
from schemas.money import show_cents


def tell_day(done: DayDone) -> None:
    """Print a day's block: what came in, what matched, who acted, what was paid, what waits, whether it is proven."""
    for closed in done.closed_before:
        SCREEN.print(f"[dim]{_long(closed)}: banks are closed[/dim]\n")
    SCREEN.rule(_long(done.day), align="left", style="bold cyan")
    block = Table.grid(padding=(0, 2))
    block.add_column(style="bold", no_wrap=True)
    block.add_column(overflow="fold")
    for what, said in _said(done):
        block.add_row(what, escape(said))
    SCREEN.print(block)
    SCREEN.print()


def _said(done: DayDone) -> Iterator[tuple[str, str]]:
    yield "came in", "; ".join(each.said for each in done.runs if each.job == "inbox") or "nothing"
    for sentence in done.refused:
        yield "refused", sentence
    came = f"{_number(done.payments, 'payment')}, {show_cents(done.funded_cents)} of members"
    if done.settled_cents:
        came += f"; settled {show_cents(done.settled_cents)}"
    for ncpdp_id, cents in sorted(done.returned.items()):
        came += f"; returned {show_cents(cents)} of {ncpdp_id}"
    yield "matched", came
    if done.assessed_cents:
        yield "fees", f"{show_cents(done.assessed_cents)} assessed for {done.day:%B}"
    if done.waived_cents:
        yield "fees", f"{show_cents(done.waived_cents)} waived"
    for place, act in enumerate(done.acts):
        yield "" if place else "people", act
    paid = "nobody"
    if done.cycle_id is not None:
        fees = f"; fees of {show_cents(done.fee_cents)} kept" if done.fee_cents else ""
        count = _number(sum(each.amount_cents > 0 for each in done.paid.values()), "payout")
        paid = f"cycle {done.cycle_id}: {count}, {show_cents(done.paid_cents)}{fees}"
    yield "paid", paid
    waits = [f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(done.omitted.items())]
    yield "waits", ", ".join(waits) or "nothing"
    cases = ", ".join(f"{kind} {count}" for kind, count in sorted(done.exceptions.items()))
    yield "exceptions", cases or "none"
    yield "jobs", _jobs(done)
    yield "proofs", f"{done.proofs_held} of {done.proofs} hold"


def _jobs(done: DayDone) -> str:
    """Say how many runs there were, and what came of those that did not do their work."""
    others = [f"{each.job} {each.state}: {each.said}" for each in done.runs if each.state != "done"]
    return "; ".join([f"{_number(len(done.runs) - len(others), 'run')} of the scheduler done", *others])


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def tell_week(week: Week, done: Sequence[DayDone], verdicts: Sequence[Verdict], differences: Sequence[str]) -> None:
    """Print the end: the stories and where to look, the week in figures, and the proofs."""
    SCREEN.rule("The week", align="left", style="bold cyan")
    rows = [
        [
            f"{each.day:%a %b %d}",
            each.payments,
            each.funded_cents,
            len([paid for paid in each.paid.values() if paid.amount_cents]),
            each.paid_cents,
            each.fee_cents,
            sum(each.returned.values()),
            sum(each.exceptions.values()),
            f"{each.proofs_held}/{each.proofs}",
        ]
        for each in done
    ]
    print_table(
        "Day by day",
        ["day", "payments#", "funded", "payouts#", "paid", "fees", "returned", "open#", "proofs"],
        rows,
    )
    told = [row[:4] for row in stories(week)]
    print_table("Who to look at", ["story", "NCPDP", "what it shows", "paid"], told)
    print_table("The week's figures", ["what", "amount"], [[name, cents] for name, cents in figures(week.expected)])
    show_verdicts(list(verdicts))
    for sentence in differences:
        SCREEN.print(f"[red]{escape(sentence)}[/red]")


def tell_where(week: Week, home: str) -> None:
    """Print a command for each story, a line each whatever the terminal's width: they are to be copied."""
    SCREEN.print(f"Look on: export CENTRALPAY_HOME={home}", soft_wrap=True, markup=False)
    looks = [
        ("what is open", "exceptions list"),
        ("what was kept", f"certificates population --month {week.days[0]:%Y-%m}"),
        *((name, words) for name, *_, words in stories(week)),
    ]
    for name, words in looks:
        SCREEN.print(f"  {name:<18} .venv/bin/centralpay {words}", soft_wrap=True, markup=False)
    SCREEN.print(who_acts(OPERATOR, APPROVER), soft_wrap=True, markup=False)


def figures(expected: Expected) -> list[tuple[str, int]]:
    """Give the sums of the week, in cents."""
    return [
        ("funded to members", sum(each.funded_cents for each in expected.days)),
        ("paid to members", sum(each.paid_cents for each in expected.days)),
        ("returned", sum(sum(each.returned.values()) for each in expected.days)),
        ("fees assessed", expected.assessed_cents),
        ("fees waived", expected.waived_cents),
        ("fees collected", expected.collected_cents),
        ("due or held at the end", sum(each.due_cents + each.held_cents for each in expected.members.values())),
        ("in transit at the end", expected.in_transit_cents),
        ("for a store that is no member", expected.unknown_cents),
        ("the PSAO's own money in the account", expected.float_cents),
    ]


def stories(week: Week) -> Iterator[list[str]]:
    """Give each story: its name, whose it is, what it shows, what was paid, and a command to look at it."""
    cast, days = week.cast, week.expected.days
    first, last = week.days[0].replace(day=1), week.days[-1]

    def row(name: str, store: Pharmacy, shows: str, look: str) -> list[str]:
        paid = "; ".join(
            f"{show_cents(each.paid[store.ncpdp_id].amount_cents)} on {each.day:%a} {each.day.day}"
            for each in days
            if store.ncpdp_id in each.paid
        )
        return [name, store.ncpdp_id, shows, paid or "nothing", look.replace("MEMBER", store.ncpdp_id)]

    book = f"statement --member MEMBER --from {first} --to {last} --format csv"
    fees = f"fees register --member MEMBER --from {first:%Y-%m} --to {last:%Y-%m}"
    bank, terms = "bank show MEMBER", "members schedule MEMBER"
    yield row("negative", cast.negative, "taken back, covered by the float, recovered", book)
    yield row("account closed", cast.closed, "R02, then another account", bank)
    yield row("payment refused", cast.refused, "R23, then paid again", "returns list --all")
    yield row("account corrected", cast.corrected, "C03, then into the corrected account", bank)
    yield row("kept back", cast.held, f"{show_cents(HOLD_CENTS)} in a dispute, let go", "holds list --all")
    yield row("fee waived", cast.waived, "by two people, paid on Fridays", fees)
    yield row("leaves", cast.leaver, "paid once a month, without waiting when it leaves, no fee", book)
    yield row("saves", cast.saver, f"from {show_cents(cast.saver.payout_minimum_cents)} on", terms)
    yield row("Thursdays", cast.thursday, "on the next banking day after a holiday", terms)
    yield row("small", cast.small, "less than its fee", fees)
    yield row("idle", cast.idle, "no claims, but its fee", fees)


def _long(day: date) -> str:
    return f"{day:%A, %B} {day.day}, {day.year}"
