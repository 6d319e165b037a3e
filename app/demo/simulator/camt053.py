"""Write the simulated bank's statement as XML, beside the BAI2 of the same day.

Source: ISO 20022 message camt.053.001.08 (BankToCustomerStatement). The proprietary code of each entry is its BAI2 type
code, as banks in the United States give it.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final
from xml.sax.saxutils import escape

from ingest.bank.bai2_writer import StatementLine
from ingest.bank.statement import is_credit_code
from schemas.money import text_from_cents

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
_USTRD_WIDTH: Final = 140
"""Characters of one piece of unstructured remittance information."""


def write_camt053(*, account: str, as_of: date, opening_cents: int, items: Sequence[StatementLine]) -> bytes:
    """Write the booked statement of one account for one day.

    Args:
        account: number of the account.
        as_of: the day.
        opening_cents: booked opening balance; the closing one follows from the items.
        items: in the order of the statement.
    """
    closing_cents = opening_cents
    for each in items:
        closing_cents += each.amount_cents if is_credit_code(each.type_code) else -each.amount_cents
    made = f"<CreDtTm>{as_of}T23:00:00</CreDtTm>"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Document xmlns="{NAMESPACE}">',
        "<BkToCstmrStmt>",
        f"<GrpHdr><MsgId>STMT{as_of:%Y%m%d}</MsgId>{made}</GrpHdr>",
        "<Stmt>",
        f"<Id>{as_of:%Y%m%d}</Id>",
        "<StmtPgntn><PgNb>1</PgNb><LastPgInd>true</LastPgInd></StmtPgntn>",
        made,
        f"<Acct><Id><Othr><Id>{escape(account)}</Id></Othr></Id><Ccy>USD</Ccy></Acct>",
        _balance("OPBD", opening_cents, as_of),
        _balance("CLBD", closing_cents, as_of),
    ]
    for item in items:
        lines.extend(_entry(item, as_of))
    lines += ["</Stmt>", "</BkToCstmrStmt>", "</Document>", ""]
    return "\n".join(lines).encode()


def _balance(code: str, cents: int, day: date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(abs(cents))}{_side(cents >= 0)}"
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(cents: int) -> str:
    return f'<Amt Ccy="USD">{text_from_cents(cents)}</Amt>'


def _side(is_credit: bool) -> str:
    return f"<CdtDbtInd>{'CRDT' if is_credit else 'DBIT'}</CdtDbtInd>"


def _entry(item: StatementLine, day: date) -> Iterator[str]:
    is_credit = bool(is_credit_code(item.type_code))
    amount, side = _amount(item.amount_cents), _side(is_credit)
    yield "<Ntry>"
    yield f"{amount}{side}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt>"
    if item.bank_reference:
        yield f"<AcctSvcrRef>{escape(item.bank_reference)}</AcctSvcrRef>"
    family = "RCDT" if is_credit else "ICDT"
    yield (
        f"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>OTHR</SubFmlyCd></Fmly></Domn>"
        f"<Prtry><Cd>{item.type_code}</Cd><Issr>BAI</Issr></Prtry></BkTxCd>"
    )
    end_to_end = escape(item.customer_reference or "NOTPROVIDED")
    yield f"<NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end}</EndToEndId></Refs>{amount}{side}"
    if item.text:
        pieces = [item.text[start : start + _USTRD_WIDTH] for start in range(0, len(item.text), _USTRD_WIDTH)]
        yield f"<RmtInf>{''.join(f'<Ustrd>{escape(piece)}</Ustrd>' for piece in pieces)}</RmtInf>"
    yield "</TxDtls></NtryDtls>"
    yield "</Ntry>"
