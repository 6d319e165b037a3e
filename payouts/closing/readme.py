"""The page that lies in a month's package, for who opens it and does not know us."""

from datetime import UTC

from ledger.export.manifest import Heading
from payouts.closing.model import Close

_PAGE = """\
{company}
The books of {month}, version {version}

Closed by {closed_by} at {closed_at} (business day {closed_on}).
Everything here is read at checkpoint {size} of the seal {origin}:
root {root}
{supersedes}
WHAT IS HERE
  manifest.json               every file with its SHA-256, rows, debits and credits
  verify.py                   checks all of it offline:  python3 verify.py .
                              (Python 3.11 and the package "cryptography"; it needs nothing of ours)
  sealed/                     the month's entries, the trail of actions, all leaves, all signed checkpoints
  checks.csv                  what was looked at before the month was closed
  carried.csv                 what was open then, and why the month was closed all the same
  tie-out.csv                 the bank's closing balance and the books, each day, to the cent
  trial-balance-opening.csv   every account of every owner at the end of the month before
  trial-balance-closing.csv   the same at the end of the month
  statements.csv              statements that were issued before the close, with the SHA-256 of their bytes
  issued-certificates.csv     the same of pass-through certificates
  GL_Detail_*.csv and others  general ledger of the Audit Data Standards (AICPA, July 2015)
  journal.hledger             hledger -f journal.hledger check -s ordereddates
  journal.beancount           bean-check journal.beancount
  registers/                  835s, payouts against the bank, what is owed, suspense, negatives, holds, corrections,
                              approvals, days to payment, fees; agrees.csv: what of them agrees with the books
  certificates/               the month of every member, and of all: what came in, what payers took, the flat fee,
                              what went out, what is left

Other forms of the same books:  centralpay ledger export --known-at {size} ...

AMOUNTS
  Dollars with two decimals in CSV files, integer cents in JSON. A balance is debits less credits.

HOW TO TRUST IT
  1. Compare the root above with a checkpoint that you, or somebody who is not the company, kept: each checkpoint is
     signed, and proves that it continues the one before (RFC 9162, C2SP tlog-checkpoint).
  2. Run verify.py. It hashes every entry again and finds it in the tree below that root.
  3. Add up for yourself: the entries of sealed/entries.jsonl lead from one trial balance to the other.
"""

_EDITION = """\
Edition {edition} of the same close: the package that was written then was lost, and a later program writes other bytes
of the same books ({reason}). It takes the place of the package whose manifest.json has the SHA-256
{manifest}
"""

_SUPERSEDES = """\
It supersedes the package whose manifest.json has the SHA-256
{manifest}
which stays valid as what was known then. reopenings.csv says why and by whom the month was opened, posted-since.csv
every entry that was posted into it since.
"""


def readme(close: Close, heading: Heading) -> str:
    """Write the page."""
    checkpoint = heading.checkpoint
    supersedes = "" if heading.supersedes is None else _SUPERSEDES.format(manifest=heading.supersedes)
    if close.edition > 1:
        supersedes = _EDITION.format(edition=close.edition, reason=close.edition_reason, manifest=heading.supersedes)
    return _PAGE.format(
        company=heading.company,
        month=f"{close.month:%Y-%m}",
        version=close.version,
        closed_by=close.closed_by,
        closed_at=f"{close.closed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        closed_on=close.closed_on,
        size="none" if checkpoint is None else checkpoint.size,
        origin=heading.origin,
        root="none" if checkpoint is None else checkpoint.root,
        supersedes=supersedes,
    )
