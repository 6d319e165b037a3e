"""Which registers there are: their names, titles, rows, and which of their amounts are summed."""

from dataclasses import dataclass
from typing import Final

from payouts.registers.decision_rows import ApprovalRow, BankDetailsRow, CorrectionRow, HoldRow, UserRow
from payouts.registers.model import RegisterRow, Span, UnknownRegisterError
from payouts.registers.money_rows import (
    NegativeRow,
    OutstandingRow,
    PaymentDaysRow,
    PayoutRow,
    RemittanceRow,
    SuspenseRow,
)


@dataclass(frozen=True, slots=True)
class RegisterKind:
    """A register that can be asked for.

    Args:
        name: as the command line says it.
        title: for people.
        says: what it lists, and what it is tied to.
        statement: name of its SQL; that of its ties ends in ``_ties``.
        row: what it lists.
        span: of what time it is.
        hidden: columns that a table on a screen leaves out, for its width.
        unsummed: amounts of which a total says nothing.
        goes_through_all: its statement joins all of what it reads, so the database does it by hashing. Left alone the
            planner expects one row of each part, and goes through the next part once for every row that comes.
    """

    name: str
    title: str
    says: str
    statement: str
    row: type[RegisterRow]
    span: Span
    hidden: tuple[str, ...] = ()
    unsummed: tuple[str, ...] = ()
    goes_through_all: bool = False

    @property
    def summed(self) -> tuple[str, ...]:
        """Name the amounts that have a total."""
        return tuple(name for name in self.row.columns() if name.endswith("_cents") and name not in self.unsummed)


FEES: Final = "fees"
"""The register of fees is a command of its own: ``fees register``."""

REGISTERS: Final = {
    kind.name: kind
    for kind in (
        RegisterKind(
            name="835",
            title="835 register",
            says="every advice: payer, trace, file, BPR02, what funded it and when; tied to what was advised (P7)",
            statement="remittances",
            row=RemittanceRow,
            span=Span.RANGE,
            hidden=(
                "received_on",
                "paid_on",
                "payer_id",
                "set_ordinal",
                "claims_cents",
                "plb_cents",
                "standing_cents",
                "funded_cents",
            ),
        ),
        RegisterKind(
            name="payouts",
            title="Payouts against the bank",
            says="what left, which debit it was, what came back, what is on its way; tied to in_transit and the bank",
            statement="payouts",
            row=PayoutRow,
            span=Span.RANGE,
            hidden=(
                "voided_cents",
                "released_in_range_cents",
                "settled_in_range_cents",
                "returned_in_range_cents",
                "cycle_id",
            ),
        ),
        RegisterKind(
            name="outstanding",
            title="Owed and not paid",
            says="what members are owed and have not, the oldest first; tied to the accounts of the members",
            statement="outstanding",
            row=OutstandingRow,
            span=Span.DAY,
            hidden=("unfunded_cents", "available_cents", "held_cents", "others_cents", "in_transit_cents"),
        ),
        RegisterKind(
            name="suspense",
            title="Suspense by age",
            says="deposits, debits and identifiers of nobody yet, by age; tied to the house's accounts and the bank",
            statement="suspense",
            row=SuspenseRow,
            span=Span.DAY,
            hidden=("owed_cents", "unexplained_cents"),
        ),
        RegisterKind(
            name="negatives",
            title="Negatives and advances",
            says="members that owed, the PSAO's own money that stood in, how it came back; tied to both ledgers",
            statement="negatives",
            row=NegativeRow,
            span=Span.RANGE,
        ),
        RegisterKind(
            name="holds",
            title="Holds with their authority",
            says="what is kept back from whom, on whose authority, until when; tied to held, levied and unclaimed",
            statement="holds",
            row=HoldRow,
            span=Span.DAY,
            hidden=("payee", "only_payer", "lift_asked_by", "placed_by"),
            unsummed=("limit_cents",),
        ),
        RegisterKind(
            name="corrections",
            title="Corrections",
            says="reversals beside their originals, money moved between members, replaced advices; tied to the journal",
            statement="corrections",
            row=CorrectionRow,
            span=Span.RANGE,
            hidden=("entered_on", "original_debits_cents", "reversed_debits_cents", "corrected_cents"),
        ),
        RegisterKind(
            name="approvals",
            title="Approvals",
            says="what was asked and decided, by whom, in which role; tied to all that left",
            statement="approvals",
            row=ApprovalRow,
            span=Span.RANGE,
            hidden=("proposer_role", "approvers_needed"),
        ),
        RegisterKind(
            name="payment-days",
            title="Days from receipt to payment",
            says="from remittance and money to the bank's debit, against limit payment_days; tied to what was funded",
            statement="payment_days",
            row=PaymentDaysRow,
            span=Span.RANGE,
            goes_through_all=True,
        ),
        RegisterKind(
            name="users",
            title="Users and roles",
            says="who may act, since when, by whom, and what each did; tied to the journal",
            statement="users",
            row=UserRow,
            span=Span.DAY,
        ),
        RegisterKind(
            name="bank-details",
            title="Changes of bank details",
            says="asked, called back, approved by whom, live since; tied to what was paid into other accounts",
            statement="bank_details",
            row=BankDetailsRow,
            span=Span.RANGE,
            hidden=("cooling_until", "prenote_settles_on"),
        ),
    )
}


def kind_of(name: str) -> RegisterKind:
    """Find a register by its name.

    Raises:
        UnknownRegisterError: there is none.
    """
    if name == FEES:
        raise UnknownRegisterError(name, (*REGISTERS, "and for fees the command: centralpay fees register"))
    if name not in REGISTERS:
        raise UnknownRegisterError(name, (*REGISTERS, FEES))
    return REGISTERS[name]
