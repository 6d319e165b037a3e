"""The custodial account as its bank keeps it: each statement opens with the closing balance of the one before."""

from dataclasses import dataclass

from app.demo.remittance import Payer
from app.demo.simulator.bank import Bank as SimulatedBank
from app.demo.simulator.movements import ACH_CREDIT, ACH_DEBIT, RETURN_CREDIT, WIRE_CREDIT
from ingest.bank.bai2_writer import StatementLine
from tests.support.trade import BANK_ACCOUNT, PAYER

__all__ = ["ACH_CREDIT", "ACH_DEBIT", "RETURN_CREDIT", "WIRE_CREDIT", "Bank"]


@dataclass
class Bank(SimulatedBank):
    """The bank of the custodial account that the tests' settings name; empty unless something else is said."""

    account: str = BANK_ACCOUNT


def paid_in(trace: str, cents: int, *, payer: Payer | None = PAYER, reference: str = "") -> StatementLine:
    """Credit a payer's payment whose addenda names its trace, and the payer unless that is None."""
    named = f"TRN*1*{trace}" + (f"*{payer.payer_id}" if payer else "")
    return StatementLine(ACH_CREDIT, cents, reference or f"IN{trace}", "", f"HARROWGATE HCCLAIMPMT {named}~")


def paid_in_for(traces: dict[str, Payer], cents: int) -> StatementLine:
    """Credit one sum that names several payments."""
    named = " ".join(f"TRN*1*{trace}*{payer.payer_id}~" for trace, payer in traces.items())
    return StatementLine(ACH_CREDIT, cents, "INSEVERAL", "", f"HARROWGATE HCCLAIMPMT {named}")


def own_money(reference: str, cents: int) -> StatementLine:
    """Credit a wire of the PSAO's own money."""
    return StatementLine(WIRE_CREDIT, cents, reference, "", "INCOMING WIRE OWN FUNDS")


def paid_out(reference: str, cents: int) -> StatementLine:
    """Debit the total of a payment file."""
    return StatementLine(ACH_DEBIT, cents, reference, "", "ACH ORIGINATION HCCLAIMPMT")


def sent_back(reference: str, cents: int) -> StatementLine:
    """Credit a payment that its receiver's bank returned."""
    return StatementLine(RETURN_CREDIT, cents, reference, "", "ACH RETURN R03")
