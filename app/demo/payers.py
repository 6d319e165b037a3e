"""Invent the pharmacy benefit managers of a demonstration, and write their list."""

import csv
from collections.abc import Sequence
from pathlib import Path
from random import Random

from app.demo.remittance import Payer
from schemas.identifiers import AbaRouting, PayerId

PAYER_COLUMNS = ("payer_id", "name", "ach_company_ids", "aliases")

_NAMES = (
    *("Harrowgate Benefit Management", "Tallgrass Pharmacy Benefits", "Quillmark Rx"),
    *("Bluestem Script Services", "Ostrander Health Rx", "Pinecove Benefit Partners"),
)
_FILING_CODES = ("12", "13", "HM", "16", "12", "MC")


def invent_payers(rng: Random, count: int) -> tuple[Payer, ...]:
    """Invent ``count`` payers; none is the name of a company in the trade."""
    eins = rng.sample(range(10**7), count)
    payers = []
    for number, ein in enumerate(eins):
        series, place = divmod(number, len(_NAMES))
        first, _, rest = _NAMES[place].partition(" ")
        # The number stands early: an alias is the first 16 characters, and has to tell payers apart.
        name = f"{first} {series + 1} {rest}" if series else _NAMES[place]
        payer = Payer(
            payer_id=PayerId(f"136{ein:07d}"),
            name=name.upper(),
            routing=AbaRouting.from_eight(f"07{rng.randrange(10**6):06d}"),
            account=str(rng.randrange(10**9, 10**11)),
            filing_code=_FILING_CODES[place],
            network=f"{name[:4].upper()}NET{series + 1}",
        )
        payers.append(payer)
    return tuple(payers)


def bank_name(payer: Payer) -> str:
    """Cut the payer's name to the 16 characters that an ACH batch header has for it."""
    return payer.name[:16].strip()


def write_payers(path: Path, payers: Sequence[Payer]) -> None:
    """Write the payer CSV: the ACH company id is the payer id, an alias is the name as the bank shows it."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream, lineterminator="\n")
        rows.writerow(PAYER_COLUMNS)
        for payer in payers:
            aliases = "|".join(dict.fromkeys((bank_name(payer), payer.name)))
            rows.writerow((payer.payer_id, payer.name, payer.payer_id, aliases))
