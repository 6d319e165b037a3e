"""The payers: the CSV file that says who remits, and under what names and company ids a bank shows their money."""

import re
from typing import Annotated, BinaryIO

from pydantic import BaseModel, ConfigDict, Field

from ingest.tables import Column, list_of, read_rows, text_of_at_most
from schemas.collecting import FileFindings
from schemas.identifiers import PayerId

_LONGEST_NAME = 100
_COMPANY_ID = re.compile(r"[0-9A-Za-z]{1,10}", re.ASCII)


class PayerRow(BaseModel):
    """One payer. Two payers may share a company id or an alias: then the money needs more than that to be matched."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    payer_id: PayerId
    name: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    ach_company_ids: tuple[Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,10}$")], ...]
    """Company identification of its ACH batches (NACHA batch header, ten characters)."""
    aliases: tuple[Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)], ...]
    """Names under which banks show it."""


def read_payers(stream: BinaryIO, name: str) -> tuple[PayerRow, ...]:
    """Read a payer file; all of it is good, or nothing is returned.

    Args:
        stream: the decompressed file; the header must be ``PAYER_COLUMNS``, lists are split on ``|``.
        name: the file as the user named it, for messages.

    Raises:
        UnreadableError: with every finding.
    """
    findings = FileFindings(name)
    rows = list(read_rows(stream, _COLUMNS, findings))
    first_lines: dict[object, int] = {}
    for row in rows:
        payer_id = row.values.get("payer_id")
        first = first_lines.setdefault(payer_id, row.line)
        if payer_id is not None and first != row.line:
            expected = f"a payer id apart from that of line {first}"
            advice = "Join the two rows; lists are split on |."
            findings.add("payer_once", "payer_id", expected, str(payer_id), line=row.line, advice=advice)
    findings.refuse_if_any()
    return tuple(PayerRow.model_validate(row.values) for row in rows)


def _company_id(text: str) -> str:
    if _COMPANY_ID.fullmatch(text) is None:
        raise ValueError("not a company id")
    return text


_COLUMNS = (
    Column("payer_id", PayerId.shape, PayerId),
    Column("name", f"a name of at most {_LONGEST_NAME} characters", text_of_at_most(_LONGEST_NAME)),
    Column(
        "ach_company_ids",
        "nothing, or different ids of at most 10 letters and digits, parted by |",
        list_of(_company_id),
        may_be_blank=True,
    ),
    Column(
        "aliases",
        f"nothing, or different names of at most {_LONGEST_NAME} characters, parted by |",
        list_of(text_of_at_most(_LONGEST_NAME)),
        may_be_blank=True,
    ),
)
PAYER_COLUMNS = tuple(column.name for column in _COLUMNS)
"""The header, in its order."""
