"""One entry of a file of ours, valid by the time it exists.

Source: Nacha Operating Rules, Appendix Three: entry detail record of CCD entries; Appendix Eight for prenotes.
"""

from dataclasses import dataclass, field

from payouts.nacha.codes import (
    ENTRY_CENTS_LIMIT,
    OWN_DEBIT_CODES,
    OWN_PRENOTE_CODES,
    SEQUENCE_LIMIT,
    TransactionCode,
)
from payouts.nacha.text import RECEIVER_NAME_WIDTH, check_account, check_number, check_text
from payouts.nacha.trn import Trn
from schemas.identifiers import AbaRouting


@dataclass(frozen=True, slots=True, kw_only=True)
class AchEntry:
    """One credit, prenote or debit of an account (record 6), with its TRN addenda (record 7) when it has one.

    Raises:
        NachaError: a value that does not fit, naming the entry by its trace sequence and the field.
    """

    routing: AbaRouting
    """Of the pharmacy's bank."""
    account_number: str = field(repr=False)
    """1 to 17 letters, digits and dashes."""
    amount_cents: int
    """Above zero, ten digits; zero for a prenote."""
    receiver_name: str
    """Up to 22 characters; ``text.fit_receiver_name`` cuts a longer one and says so."""
    identification: str
    """Up to 15 characters that banks can see: the pharmacy's NCPDP id."""
    trace_sequence: int
    """Last seven digits of the trace number, unused at this bank for a year."""
    transaction_code: TransactionCode = TransactionCode.CHECKING_CREDIT
    trn: Trn | None = None

    def __post_init__(self) -> None:
        place = f"entry {self.trace_sequence}"
        check_account("account_number", self.account_number, place)
        if self.transaction_code in OWN_PRENOTE_CODES:
            check_number("amount_cents", self.amount_cents, 1, least=0, place=place)
        else:
            check_number("amount_cents", self.amount_cents, ENTRY_CENTS_LIMIT, place=place)
        check_text("receiver_name", self.receiver_name, RECEIVER_NAME_WIDTH, place=place)
        check_text("identification", self.identification, 15, place=place)
        check_number("trace_sequence", self.trace_sequence, SEQUENCE_LIMIT, place=place)

    @property
    def is_debit(self) -> bool:
        """Whether it takes money out of the account."""
        return self.transaction_code in OWN_DEBIT_CODES

    @property
    def is_prenote(self) -> bool:
        """Whether it moves nothing and only asks whether the account is there."""
        return self.transaction_code in OWN_PRENOTE_CODES
