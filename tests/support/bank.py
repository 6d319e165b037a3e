"""The custodial account as its bank keeps it: each statement opens with the closing balance of the one before."""

from dataclasses import dataclass
from datetime import date

from app.demo.remittance import Payer
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.statement import is_credit_code
from tests.support.trade import BANK_ACCOUNT, PAYER

ACH_CREDIT, WIRE_CREDIT, RETURN_CREDIT, ACH_DEBIT = "142", "195", "257", "455"


@dataclass
class Bank:
    """An account and what is in it; money is integer cents."""

    account: str = BANK_ACCOUNT
    balance_cents: int = 0

    def statement(self, day: date, *lines: StatementLine) -> bytes:
        """Write the statement of a day and go on from its closing balance."""
        written = write_bai2(account=self.account, as_of=day, opening_cents=self.balance_cents, items=lines)
        for line in lines:
            self.balance_cents += line.amount_cents if is_credit_code(line.type_code) else -line.amount_cents
        return written


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
