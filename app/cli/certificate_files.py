"""Files of certificates: the JSON with its proof, and beside it the page to read."""

from collections.abc import Iterator
from contextlib import closing
from enum import StrEnum
from pathlib import Path

from app.cli.leaving import leave
from app.cli.screen import Bar
from app.session import Session
from payouts.certificates.bodies import canonical, envelope_text
from payouts.certificates.given import GivenOut
from payouts.papers.certificate import certificate_pdf
from payouts.papers.pressroom import set_in_order
from payouts.papers.worker import Paper


class CertificateForm(StrEnum):
    """How a certificate is written."""

    JSON = "json"
    """The whole certificate in cents, with its proof."""
    PDF = "pdf"
    """A page to read and to print; the JSON is left beside it."""


def leave_one(session: Session, given: GivenOut, out: Path, kind: CertificateForm) -> None:
    """Leave a certificate's file; beside a PDF its JSON."""
    place = out
    if kind is CertificateForm.PDF:
        leave(place, certificate_pdf(given.body, given.proof, given.of.body_sha256, session.sender))
        place = place.with_suffix(".json")
    leave(place, envelope_text(given.body, given.proof))


def leave_all(
    session: Session, given: Iterator[GivenOut], folder: Path, kind: CertificateForm, bar: Bar, total: int
) -> None:
    """Leave everybody's files, few of them in memory at once."""
    names: set[str] = set()
    waiting: list[str] = []

    def written() -> Iterator[bytes]:
        for each in given:
            name, number = each.of.name, 1
            while name in names:
                # Two owners of one pharmacy may stand in one month.
                number += 1
                name = f"{each.of.name}-{number}"
            names.add(name)
            waiting.append(name)
            leave(folder / f"{name}.json", envelope_text(each.body, each.proof), synced=False)
            bar.step("leaving files")
            bar.at(len(names), total)
            yield canonical({"body": each.body, "proof": each.proof, "sha256": each.of.body_sha256})

    if kind is CertificateForm.JSON:
        for _ in written():
            waiting.clear()
        return
    with closing(set_in_order(Paper.CERTIFICATE, session.sender, written())) as papers:
        for content in papers:
            leave(folder / f"{waiting.pop(0)}.pdf", content, synced=False)
