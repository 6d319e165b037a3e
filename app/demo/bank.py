"""The bank's side of a generated day: what was credited, and on the next day what was debited for the payouts."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from app.demo.day import Arrival, ExpectedDeposit, ExpectedFile, ExpectedSet, Funding, Verdict
from app.demo.payers import bank_name
from app.demo.remittance import Payer
from app.demo.simulator.movements import ACH_CREDIT, ACH_DEBIT, WIRE_CREDIT
from ingest.bank.bai2_writer import write_bai2

FLOAT_CENTS = 25_000_00
"""The PSAO's own money put into the custodial account, several times what the negative member owes."""

_MISSING_CENTS = 1_250_00
_STRAY_CENTS = 8_421_17


def expected_deposits(
    files: Sequence[ExpectedFile], payers: Sequence[Payer], business_date: date
) -> tuple[ExpectedDeposit, ...]:
    """Say what the bank credits: the float first, a payment for each trace that has one, and one nobody announced."""
    by_id = {payer.payer_id: payer for payer in payers}
    reference = f"{business_date:%Y%m%d}"
    deposits = [
        ExpectedDeposit(
            bank_reference=f"FLOAT{reference}",
            type_code=WIRE_CREDIT,
            trace_number="",
            payer_id=None,
            amount_cents=FLOAT_CENTS,
            text="INCOMING WIRE EXAMPLE PSAO OPERATING ACCOUNT OWN FUNDS",
            arrival=Arrival.FLOAT,
        )
    ]
    for trace, sets in _payments(files).items():
        # What the payer sent follows from the shares; BPR02 of a set that does not balance is not to be believed.
        owed_cents = sum(share.share_cents for each in sets for share in each.shares)
        arrival = _arrival(sets[0])
        if arrival is Arrival.SHORT:
            owed_cents -= min(_MISSING_CENTS, owed_cents // 10)
        deposits.append(
            _payment(by_id[sets[0].payer_id], trace, owed_cents, arrival, f"{reference}{len(deposits):04d}")
        )
    stray = payers[-1]
    trace = f"{stray.payer_id[-4:]}{business_date:%y%m%d}990001"
    deposits.append(_payment(stray, trace, _STRAY_CENTS, Arrival.UNMATCHED, f"{reference}{len(deposits):04d}"))
    return tuple(deposits)


def _payments(files: Sequence[ExpectedFile]) -> dict[str, list[ExpectedSet]]:
    """Gather the sets for which money comes today, by trace; the trace numbers of a day differ."""
    payments: dict[str, list[ExpectedSet]] = {}
    for each in (each for file in files for each in file.sets):
        if each.verdict is not Verdict.DUPLICATE and each.funding not in {Funding.AWAITED, Funding.ZERO}:
            payments.setdefault(each.trace_number, []).append(each)
    return payments


def _arrival(remittance: ExpectedSet) -> Arrival:
    if remittance.verdict is Verdict.QUARANTINED:
        return Arrival.UNMATCHED
    return Arrival.SHORT if remittance.funding is Funding.SHORT else Arrival.MATCHED


def _payment(payer: Payer, trace: str, cents: int, arrival: Arrival, bank_reference: str) -> ExpectedDeposit:
    return ExpectedDeposit(
        bank_reference=bank_reference,
        type_code=ACH_CREDIT,
        trace_number=trace,
        payer_id=payer.payer_id,
        amount_cents=cents,
        text=f"{bank_name(payer)} HCCLAIMPMT TRN*1*{trace}*{payer.payer_id}~",
        arrival=arrival,
    )


def write_bank_file(path: Path, bank_account: str, bank_date: date, deposits: Sequence[ExpectedDeposit]) -> int:
    """Write the prior-day BAI2 of an account that opens with nothing; return its closing balance in cents."""
    items = [(each.type_code, each.amount_cents, each.bank_reference, "", each.text) for each in deposits]
    path.write_bytes(write_bai2(account=bank_account, as_of=bank_date, opening_cents=0, items=items))
    return sum(each.amount_cents for each in deposits)


def settlement_statement(
    *,
    bank_account: str,
    bank_date: date,
    opening_cents: int,
    debit_cents: int,
    company_id: str,
    reference: str,
    entry_description: str = "HCCLAIMPMT",
) -> bytes:
    """Write the prior-day BAI2 that shows a NACHA file debited in one amount.

    Args:
        bank_account: the custodial account.
        bank_date: the day of the debit, the banking day after release.
        opening_cents: closing balance of the statement before.
        debit_cents: total credit of the NACHA file, above zero.
        company_id: of the originator, as in the batch header.
        reference: of the NACHA file, returned by the bank as the customer reference and in the text.
        entry_description: as in the batch header.
    """
    text = f"ACH ORIGINATION {company_id} {entry_description} {reference}"
    bank_reference = f"{bank_date:%Y%m%d}0001"
    items = [(ACH_DEBIT, debit_cents, bank_reference, reference, text)]
    return write_bai2(account=bank_account, as_of=bank_date, opening_cents=opening_cents, items=items)
