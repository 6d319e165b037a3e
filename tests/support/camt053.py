"""Bank statements as XML, in all the ways that banks write them; what is asked for is written, right or wrong.

Source: ISO 20022 message camt.053 (BankToCustomerStatement).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from xml.sax.saxutils import escape

from schemas.money import text_from_cents

DAY = date(2026, 11, 16)
ACCOUNT = "000123456789"


@dataclass(frozen=True, kw_only=True)
class Details:
    """One transaction of an entry."""

    cents: int | None = None
    """Signed; None: it says no amount."""
    ustrd: Sequence[str] = ()
    end_to_end: str = "NOTPROVIDED"
    reference: str = ""
    further: str = ""
    nested: bool = False
    """The amount stands in AmtDtls, as the first versions have it."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry."""

    cents: int
    """Signed."""
    status: str = "BOOK"
    reference: str = "REF1"
    codes: tuple[str, ...] = ("PMNT", "RCDT", "ESCT")
    proprietary: str = ""
    is_reversal: bool = False
    booked_on: date | None = DAY
    details: Sequence[Details] = ()
    further: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One Stmt."""

    entries: Sequence[Entry] = ()
    opening_cents: int | None = 0
    closing_cents: int | None = None
    """None: what follows from opening and entries."""
    has_closing: bool = True
    opening_code: str = "OPBD"
    number: int | None = None
    is_last: bool = True
    account: str = ACCOUNT
    identification: str = "S1"
    currency: str = "USD"
    day: date = DAY
    sums: tuple[int, int] | None = None
    """The bank's own sums of credits and debits."""


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a bank writes it."""

    version: int = 8
    prefix: str = ""
    is_indented: bool = False
    uses_iban: bool = False
    message_pages: str = ""
    others: Sequence[str] = field(default_factory=tuple)
    """Elements of the bank's own, put into every entry."""


def camt(*pages: Page, style: Style | None = None) -> bytes:
    """Write a file of these statements."""
    style = style or Style()
    body = "".join(_page(page, style) for page in pages)
    header = f"<GrpHdr><MsgId>M1</MsgId><CreDtTm>{DAY}T23:00:00-05:00</CreDtTm>{style.message_pages}</GrpHdr>"
    whole = f"<BkToCstmrStmt>{header}{body}</BkToCstmrStmt>"
    if style.prefix:
        whole = whole.replace("</", f"</{style.prefix}:")
        whole = "<".join(
            f"{style.prefix}:{part}" if number and part[:1].isalpha() else part
            for number, part in enumerate(whole.split("<"))
        )
    if style.is_indented:
        whole = whole.replace("><", ">\n  <")
    namespace = f"urn:iso:std:iso:20022:tech:xsd:camt.053.001.{style.version:02d}"
    name = f"{style.prefix}:Document" if style.prefix else "Document"
    declared = f"xmlns:{style.prefix}" if style.prefix else "xmlns"
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} {declared}="{namespace}">{whole}</{name}>\n'.encode()


def _page(page: Page, style: Style) -> str:
    booked = [entry.cents for entry in page.entries if entry.status == "BOOK"]
    closing = page.closing_cents if page.closing_cents is not None else (page.opening_cents or 0) + sum(booked)
    number = ""
    if page.number is not None:
        last = "true" if page.is_last else "false"
        number = f"<StmtPgntn><PgNb>{page.number}</PgNb><LastPgInd>{last}</LastPgInd></StmtPgntn>"
    identification = f"<IBAN>{page.account}</IBAN>" if style.uses_iban else f"<Othr><Id>{page.account}</Id></Othr>"
    parts = [
        f"<Stmt><Id>{page.identification}</Id>{number}<CreDtTm>{DAY}T22:00:00</CreDtTm>",
        f"<Acct><Id>{identification}</Id><Ccy>{page.currency}</Ccy></Acct>",
    ]
    if page.opening_cents is not None:
        parts.append(_balance(page.opening_code, page.opening_cents, page))
    if page.has_closing:
        parts.append(_balance("CLBD", closing, page))
    parts.append(_balance("CLAV", 1, page))
    if page.sums is not None:
        credits_, debits = (text_from_cents(cents) for cents in page.sums)
        parts.append(
            f"<TxsSummry><TtlCdtNtries><Sum>{credits_}</Sum></TtlCdtNtries>"
            f"<TtlDbtNtries><Sum>{debits}</Sum></TtlDbtNtries></TxsSummry>"
        )
    parts += [_entry(entry, page, style) for entry in page.entries]
    return "".join((*parts, "</Stmt>"))


def _balance(code: str, cents: int, page: Page) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"<Bal>{kind}{_amount(cents, page.currency)}<Dt><Dt>{page.day}</Dt></Dt></Bal>"


def _amount(cents: int, currency: str) -> str:
    side = "CRDT" if cents >= 0 else "DBIT"
    return f'<Amt Ccy="{currency}">{text_from_cents(abs(cents))}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _entry(entry: Entry, page: Page, style: Style) -> str:
    status = f"<Cd>{entry.status}</Cd>" if style.version >= 8 else entry.status
    booked = f"<BookgDt><Dt>{entry.booked_on}</Dt></BookgDt>" if entry.booked_on else ""
    details = "".join(_details(each, page) for each in entry.details)
    codes = ""
    if entry.codes:
        domain, family, sub = entry.codes
        codes = f"<Domn><Cd>{domain}</Cd><Fmly><Cd>{family}</Cd><SubFmlyCd>{sub}</SubFmlyCd></Fmly></Domn>"
    if entry.proprietary:
        codes += f"<Prtry><Cd>{entry.proprietary}</Cd><Issr>BAI</Issr></Prtry>"
    return (
        f"<Ntry>{_amount(entry.cents, page.currency)}"
        f"{'<RvslInd>true</RvslInd>' if entry.is_reversal else ''}<Sts>{status}</Sts>{booked}"
        f"{f'<AcctSvcrRef>{escape(entry.reference)}</AcctSvcrRef>' if entry.reference else ''}"
        f"<BkTxCd>{codes}</BkTxCd>{''.join(style.others)}"
        f"{f'<NtryDtls>{details}</NtryDtls>' if details else ''}"
        f"{f'<AddtlNtryInf>{escape(entry.further)}</AddtlNtryInf>' if entry.further else ''}</Ntry>"
    )


def _details(details: Details, page: Page) -> str:
    amount = ""
    if details.cents is not None:
        amount = _amount(details.cents, page.currency)
        if details.nested:
            money, side = amount[: amount.index("<CdtDbtInd>")], amount[amount.index("<CdtDbtInd>") :]
            amount = f"<AmtDtls><TxAmt>{money}</TxAmt></AmtDtls>{side}"
    reference = f"<AcctSvcrRef>{escape(details.reference)}</AcctSvcrRef>" if details.reference else ""
    ustrd = "".join(f"<Ustrd>{escape(piece)}</Ustrd>" for piece in details.ustrd)
    return (
        f"<TxDtls><Refs>{reference}<EndToEndId>{escape(details.end_to_end)}</EndToEndId></Refs>{amount}"
        f"{f'<RmtInf>{ustrd}</RmtInf>' if ustrd else ''}"
        f"{f'<AddtlTxInf>{escape(details.further)}</AddtlTxInf>' if details.further else ''}</TxDtls>"
    )
