"""Certificates on the screen: figures that are not issued, what was issued, what a check found."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from app.cli.moment import checkpoint_facts, checkpoint_words
from app.cli.screen import SCREEN, print_json, print_table
from ledger.seal.checkpoints import Checkpoint
from payouts.certificates.bodies import canonical, digest
from payouts.certificates.checking import Check
from payouts.certificates.given import Certificate, GivenOut
from payouts.certificates.kinds import PARTS
from payouts.certificates.model import Figures, PopulationFigures
from schemas.money import show_cents


def say_given(given: GivenOut, out: Path, *, as_json: bool) -> None:
    """Say which certificate was left, and where."""
    if as_json:
        print_json(given.of.model_dump(mode="json") | {"out": str(out)})
        return
    of = given.of
    print_table(
        "Certificate",
        ["id#", "from", "to", "version#", "closing", "kept: the flat fee", "known at#", "leaf#", "in checkpoint#"],
        [
            [
                of.certificate_id,
                of.from_on,
                of.to_on,
                of.version,
                of.closing_cents,
                of.retained_cents,
                of.checkpoint_size,
                of.leaf_index,
                of.sealed_size,
            ]
        ],
    )
    SCREEN.print(f"{out}, SHA-256 of its text {digest(canonical(given.body))}", soft_wrap=True)


def listed_row(each: Certificate) -> list[object]:
    """Give a certificate's line of the list."""
    return [
        each.certificate_id,
        each.from_on,
        each.to_on,
        each.version,
        each.superseded_by and str(each.superseded_by),
        each.closing_cents,
        each.retained_cents,
        each.checkpoint_size,
        "not sealed" if each.sealed_size is None else f"{each.leaf_index} of {each.sealed_size}",
        f"{each.issued_at:%Y-%m-%d %H:%M}",
        each.issued_by,
        each.body_sha256[:12],
    ]


def show_figures(
    made: Figures | PopulationFigures,
    title: str,
    span: tuple[date, date],
    checkpoint: Checkpoint | None,
    *,
    as_json: bool,
) -> None:
    """Show figures that are not issued."""
    if as_json:
        about = {"from": f"{span[0]}", "to": f"{span[1]}", "known_at": checkpoint_facts(checkpoint), "issued": False}
        print_json(about | {"figures": made.model_dump(mode="json")})
        return
    rows: list[list[object]] = [["opening", made.opening_cents]]
    rows += [[words, made.changes_cents[part]] for part, words in PARTS.items() if made.changes_cents[part]]
    rows.append(["closing", made.closing_cents])
    print_table(f"{title}, {span[0]} to {span[1]}", ["what", "amount"], rows)
    if isinstance(made, PopulationFigures):
        own = [[name.replace("_", " "), cents] for name, cents in made.own_cents.items()]
        print_table("The PSAO's own money in the account", ["what", "amount"], own)
        bank = made.bank
        columns = ["before", "came in", "went out", "after"]
        figures = [bank.opening_cents, bank.in_cents, bank.out_cents, bank.closing_cents]
        print_table("The bank account", columns, [figures])
    SCREEN.print(
        f"Kept by us: {show_cents(made.retained_cents)}, the flat fee and nothing else. Not issued: say --out FILE"
    )
    if checkpoint is not None:
        SCREEN.print(checkpoint_words(checkpoint).capitalize(), soft_wrap=True)


def show_checks(what: str, found: Sequence[Check]) -> None:
    """Show what a check found."""
    rows = [["holds" if each.holds else "FAILS", each.what, each.detail] for each in found]
    print_table(f"Certificate {what}", ["verdict", "what", "detail"], rows)
