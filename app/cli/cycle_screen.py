"""How a cycle, its release and its preview are shown."""

from collections.abc import Sequence
from typing import Any

from app.cli.moment import Moment
from app.cli.screen import SCREEN, print_json, print_table
from payouts.cycle.cycles import Cycle
from payouts.cycle.preview import NewAccount, Preview, Totals
from payouts.cycle.release import Released
from schemas.money import show_cents

MOST_ROWS = 20
"""Rows of a preview's list on the screen."""

_NEXT = {
    "proposed": "Look at it: centralpay cycle preview {0}. Another person approves it: centralpay cycle approve {0}",
    "approved": "To send it: centralpay cycle release {0} --out DIR",
}
"""What people do next with a cycle in a state."""


def cycle_json(cycle: Cycle) -> dict[str, Any]:
    """Give a cycle as its JSON document; a payout of nothing is one that the fee took whole, listed apart."""
    document = cycle.model_dump(mode="json", exclude={"payouts", "omitted"})
    paid = [each for each in cycle.payouts if each.amount_cents]
    taken = [
        {
            "member_id": str(each.member_id),
            "ncpdp_id": each.ncpdp_id,
            "available_cents": each.fee_cents,
            "fee_cents": each.fee_cents,
            "reason": "fee_takes_all",
        }
        for each in cycle.payouts
        if not each.amount_cents
    ]
    return document | {
        "payouts": [each.model_dump(mode="json", exclude_none=True) for each in paid],
        "omitted": [each.model_dump(mode="json") for each in cycle.omitted] + taken,
    }


def show_cycle(
    cycle: Cycle, details: dict[str, Any] | None = None, moment: Moment | None = None, *, as_json: bool
) -> None:
    """Print a cycle, its payouts, the members left out, and what it tells; with details line by line."""
    if as_json:
        print_json(cycle_json(cycle) | (details or {}) | ({} if moment is None else moment.known))
        return
    print_table(
        f"Cycle {cycle.cycle_id}",
        ["date", "effective", "cut off", "state", "approval#", "approvers", "payouts#", "fees", "total"],
        [
            [
                cycle.business_date,
                cycle.effective_date,
                f"{cycle.cut_off_at:%Y-%m-%d %H:%M:%S} UTC",
                cycle.state,
                cycle.approval_id or 0,
                _approvers(cycle),
                len(cycle.payouts),
                cycle.fee_cents,
                cycle.total_cents,
            ]
        ],
    )
    rows = [
        [each.ncpdp_id, each.amount_cents, each.fee_cents, each.state, each.payer_trace, each.reason or each.chain]
        for each in cycle.payouts
    ]
    print_table("Payouts", ["NCPDP", "amount", "fee", "state", "for", "reason"], rows)
    print_table(
        "Not paid",
        ["NCPDP", "available", "reason"],
        [[each.ncpdp_id, each.available_cents, each.reason] for each in cycle.omitted],
    )
    told = cycle.told
    print_table(
        "Told beside the payouts, and covered by the hash",
        ["what", "count#", "sum"],
        [["shares of advices", told.shares, told.share_cents], ["own items", told.own_items, told.own_cents]],
    )
    if details is not None:
        _show_details(details)
    if cycle.void_reason is not None:
        SCREEN.print(f"void: {cycle.void_reason}", markup=False)
    SCREEN.print(f"set hash {cycle.set_hash}", soft_wrap=True)
    if moment is not None:
        moment.say()
    if (moment is None or moment.checkpoint is None) and cycle.state in _NEXT:
        SCREEN.print(
            f"Cycle {cycle.cycle_id} is {cycle.state}. {_NEXT[cycle.state].format(cycle.cycle_id)}", soft_wrap=True
        )


def _approvers(cycle: Cycle) -> str:
    """Say how many approve, and who the first of two was."""
    first = "" if cycle.first_approved_by is None else f", first {cycle.first_approved_by}"
    return f"{cycle.approvers_needed}{first}"


def _show_details(details: dict[str, Any]) -> None:
    shares = [list(each.values()) for each in details["shares"]]
    columns = ["NCPDP", "payer", "trace", "claims#", "claims' sum", "payer's PLB"]
    print_table("Shares", columns, shares)
    items = [list(each.values()) for each in details["own_items"]]
    print_table("Own items", ["NCPDP", "reference", "reason", "amount"], items)


def show_release(released: Released) -> None:
    """Print what a release sent."""
    print_table(
        f"Cycle {released.cycle_id} {released.state}",
        ["effective", "payouts#", "fees", "total", "NACHA file", "835s#", "their sets#"],
        [
            [
                released.effective_date,
                released.payouts,
                released.fee_cents,
                released.total_cents,
                released.nacha_file or "none",
                released.children.files,
                released.children.sets,
            ]
        ],
    )
    if released.children.folder is not None:
        SCREEN.print(f"The members' own 835s and their list: {released.children.folder}", soft_wrap=True)
    if released.notices.folder is not None:
        said = f"Notices of the payments and their list: {released.notices.folder}"
        SCREEN.print(said, soft_wrap=True)
    print_table("Dropped", ["NCPDP", "reason"], [[each.ncpdp_id, each.reason] for each in released.dropped])


def show_preview(seen: Preview, *, as_json: bool) -> None:
    """Print what there is to look at before a cycle is approved."""
    if as_json:
        print_json(seen)
        return
    _show_totals(seen)
    show_largest("First payments", seen.first_payments)
    show_largest("Changed accounts", seen.changed_accounts)
    print_table(
        "Negative members", ["NCPDP", "available"], [[each.ncpdp_id, each.available_cents] for each in seen.negatives]
    )
    print_table(
        "Waiting for their day or their minimum",
        ["reason", "members#", "available"],
        [[each.reason, each.members, each.cents] for each in seen.waiting],
    )
    print_table(
        "Holds",
        ["NCPDP", "held", "kinds", "review on"],
        [[each.ncpdp_id, each.held_cents, each.kinds, each.review_on] for each in seen.held],
    )
    print_table(
        "Stopped accounts",
        ["NCPDP", "account", "since", "available", "reason"],
        [
            [each.ncpdp_id, each.last_four, each.stopped_on, each.available_cents, each.reason]
            for each in seen.stopped_accounts
        ],
    )
    own = seen.own_float
    print_table(
        "Float", ["there is", "must cover", "missing"], [[own.available_cents, own.needed_cents, own.missing_cents]]
    )
    _show_limits(seen)


def show_largest(title: str, payments: Sequence[NewAccount]) -> None:
    """Print the largest payments; of a first cycle all are first ones, and nobody reads twenty thousand rows."""
    ordered = sorted(payments, key=lambda each: (-each.cents, each.ncpdp_id))
    print_table(
        title,
        ["NCPDP", "amount", "account", "account before", "last paid"],
        [
            [each.ncpdp_id, each.cents, each.last_four, each.last_four_before, each.last_paid_on]
            for each in ordered[:MOST_ROWS]
        ],
    )
    if rest := ordered[MOST_ROWS:]:
        cents = sum(each.cents for each in rest)
        SCREEN.print(f"and {len(rest):,} more, together {show_cents(cents)}; --json lists them all")


def _show_totals(seen: Preview) -> None:
    now, last = seen.totals, seen.difference
    rows: list[list[object]] = [
        [f"cycle {seen.cycle_id}", now.members, now.fee_cents, now.largest_cents, now.total_cents]
    ]
    if last is not None:
        before = last.before
        row = [
            f"cycle {last.last_cycle_id}",
            before.members,
            before.fee_cents,
            before.largest_cents,
            before.total_cents,
        ]
        rows += [row, ["difference", now.members - before.members, *_less(now, before)]]
    print_table("This cycle and the last released", ["cycle", "members#", "fees", "largest", "total"], rows)
    if last is None:
        SCREEN.print("No cycle was released before this one.")
        return
    SCREEN.print(f"{last.joined:,} members are paid who were not then; {last.gone:,} are not who were then.")
    print_table(
        "Payers' shares",
        ["payer", "name", "now", "then", "difference"],
        [
            [each.payer_id, each.name, each.cents, each.before_cents, each.cents - each.before_cents]
            for each in last.payers
        ],
    )
    print_table(
        "Members that differ most",
        ["NCPDP", "now", "then", "difference"],
        [[each.ncpdp_id, each.cents, each.before_cents, each.cents - each.before_cents] for each in last.movers],
    )


def _less(now: Totals, before: Totals) -> list[int]:
    return [
        now.fee_cents - before.fee_cents,
        now.largest_cents - before.largest_cents,
        now.total_cents - before.total_cents,
    ]


def _show_limits(seen: Preview) -> None:
    limits = seen.limits
    print_table(
        "Limits of the day",
        ["two approvers from", "one payout", "cycle's total", "approvers needed#", "first approver"],
        [
            [
                "none" if limits.two_approvers_from_cents is None else limits.two_approvers_from_cents,
                "none" if limits.entry_cents is None else limits.entry_cents,
                "none" if limits.cycle_total_cents is None else limits.cycle_total_cents,
                limits.approvers_needed,
                limits.first_approved_by,
            ]
        ],
    )
    if limits.total_is_above:
        SCREEN.print("[red]The total is above the cycle's limit: it can not be released.[/red]")
    rows = [[each.ncpdp_id, each.amount_cents] for each in limits.above_entry]
    print_table("Above the limit of one payout: dropped at the release", ["NCPDP", "amount"], rows)
