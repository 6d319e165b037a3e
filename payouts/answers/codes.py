"""Return and change codes: what each says, and what follows from it.

Source: Nacha Operating Rules, Appendix Four (return reason codes, dishonored and contested returns) and Appendix Five
(change codes). The sentences are ours. Which code is treated how is one table; a code without a treatment, or that
nobody knows, waits for a person.
"""

from enum import StrEnum
from typing import Final

FRAUD_MARK: Final = "QUESTIONABLE"
"""What a bank writes into the addenda information of an R17 when it doubts the entry itself."""
OUR_REVERSAL: Final = "REV"
"""Not a bank's code: the money of a payment that we asked back by a reversing entry is there."""
FRESH_DETAILS_DAYS: Final = 30
"""Bank details that changed less than so many days ago make a questionable entry a suspicion of fraud."""


class Treatment(StrEnum):
    """What is done with an answer."""

    ACCOUNT_DEAD = "account_dead"
    """The account takes no payments: it is stopped, the money is kept, new details are asked for."""
    LEGAL = "legal"
    """A legal action stands behind it: everything of the member is kept back until an authority releases it."""
    FRAUD = "fraud"
    """Suspicion of fraud: account and money are frozen, the member is called back."""
    REFUSED_OR_DUPLICATE = "refused_or_duplicate"
    """The receiver did not want it, or had it already: look first whether we paid twice."""
    FORMAT = "format"
    """Our entry was wrong: mend it and pay again."""
    BANK_TEMPORARY = "bank_temporary"
    """The receiving bank could not settle: pay again."""
    AGREED_WITH_BANK = "agreed_with_bank"
    """It comes back because our bank agreed to it, or asked for it."""
    DEBIT_RETRY = "debit_retry"
    """A debit of ours found no money: it may be tried twice more."""
    DEBIT_STOPPED = "debit_stopped"
    """A debit of ours was stopped by who was debited: not again."""
    DEBIT_DISPUTED = "debit_disputed"
    """A debit of ours is said to be unauthorized: not again, and our counsel is asked."""
    CORRECT_DETAILS = "correct_details"
    """A notification that corrects bank details: a second person decides."""
    CORRECT_OTHER = "correct_other"
    """A notification that corrects a name, an id or an addenda: a person looks at it and closes it."""
    DISHONORED = "dishonored"
    """The return itself was refused: its money goes back, the payment stands."""
    CONTESTED = "contested"
    """The refusal of a return was refused: the return stands after all, its money comes again."""
    UNKNOWN = "unknown"
    """A code without a treatment, or that nobody knows: a person decides."""

    @property
    def stops_account(self) -> bool:
        """Whether nothing more is paid into the account."""
        return self in {Treatment.ACCOUNT_DEAD, Treatment.LEGAL, Treatment.FRAUD}

    @property
    def freezes_member(self) -> bool:
        """Whether everything of the member is kept back at once."""
        return self in {Treatment.LEGAL, Treatment.FRAUD}

    @property
    def returns_credit(self) -> bool:
        """Whether it is a way in which a payment to a member comes back; other returns are a debit's, or nobody's."""
        return self in _OF_CREDITS


_OF_CREDITS: Final = frozenset(
    {
        Treatment.ACCOUNT_DEAD,
        Treatment.LEGAL,
        Treatment.FRAUD,
        Treatment.REFUSED_OR_DUPLICATE,
        Treatment.FORMAT,
        Treatment.BANK_TEMPORARY,
        Treatment.AGREED_WITH_BANK,
    }
)

RETURN_MEANINGS: Final[dict[str, str]] = {
    "R01": "not enough money in the account that we debited",
    "R02": "the account was closed",
    "R03": "there is no such account, or it is not this receiver's",
    "R04": "the account number has a form that the bank does not use",
    "R05": "a debit of a consumer's account under a company's entry class, not authorized",
    "R06": "our own bank asked for it back",
    "R07": "the authorization of our debit was revoked",
    "R08": "who was debited stopped the payment",
    "R09": "the money in the account that we debited is not collected yet",
    "R10": "who was debited says that it does not know us, or did not authorize it",
    "R11": "who was debited says that the entry is not what it authorized",
    "R12": "the branch with this account was sold to another bank",
    "R13": "the bank takes no ACH entries under this routing number",
    "R14": "who represents the payee has died or can not act any more",
    "R15": "the payee or the account's holder has died",
    "R16": "the account is frozen by a legal action or by the bank, or sanctions forbid the payment",
    "R17": "the bank's edits refuse a field of the entry, or the entry looks questionable",
    "R18": "the effective date is out of bounds",
    "R19": "the amount field is wrong",
    "R20": "the account is not one that takes such entries",
    "R21": "the company identification is wrong",
    "R22": "the receiver's identification is wrong",
    "R23": "the receiver refused the credit",
    "R24": "the entry looks like one that came before",
    "R25": "the addenda record is wrong",
    "R26": "a mandatory field is empty or wrong",
    "R27": "the trace number is wrong or missing",
    "R28": "the routing number or its check digit is wrong",
    "R29": "the company that was debited did not authorize it",
    "R30": "the bank does not take part in check truncation",
    "R31": "returned late, by agreement with our bank",
    "R32": "the bank can not settle the entry",
    "R33": "a destroyed check's entry is returned",
    "R34": "supervisors have limited what the bank may take part in",
    "R35": "a debit to a kind of account or under a class that allows none",
    "R36": "a credit to a kind of account or under a class that allows none",
    "R37": "the check behind the entry was presented, too",
    "R38": "payment of the check behind the entry was stopped",
    "R39": "the check behind the entry may not be converted, or was presented, too",
    "R40": "a federal agency returns an enrollment",
    "R41": "an enrollment with a wrong transaction code",
    "R42": "an enrollment with a wrong routing number",
    "R43": "an enrollment with a wrong account number",
    "R44": "an enrollment with a wrong identification of the person",
    "R45": "an enrollment with a wrong name",
    "R46": "an enrollment with a wrong mark for a representative payee",
    "R47": "an enrollment that was made before",
    "R50": "the receiving state's law does not allow a re-presented check",
    "R51": "a re-presented or converted check that was not eligible",
    "R52": "payment of a re-presented check was stopped",
    "R53": "a re-presented check and its entry were both presented",
    "R61": "our bank refuses the return: it names another bank",
    "R62": "our bank refuses the return: it concerns an erroneous or reversing debit",
    "R63": "our bank refuses the return: its amount is wrong",
    "R64": "our bank refuses the return: the receiver's identification in it is wrong",
    "R65": "our bank refuses the return: its transaction code is wrong",
    "R66": "our bank refuses the return: the company identification in it is wrong",
    "R67": "our bank refuses the return: it is the second one",
    "R68": "our bank refuses the return: it is late",
    "R69": "our bank refuses the return: fields of it are wrong",
    "R70": "our bank refuses the return: it did not agree to it",
    "R71": "the return stands: its refusal was misrouted",
    "R72": "the return stands: its refusal was late",
    "R73": "the return stands: it was in time",
    "R74": "the return stands, with its fields corrected",
    "R75": "the return stands: it was not the second one",
    "R76": "the return stands: no field of it was wrong",
    "R77": "the receiving bank does not take the refusal of its return",
    "R80": "a foreign payment whose fields are wrong",
    "R81": "a foreign payment that the bank does not take part in",
    "R82": "a foreign payment with a wrong foreign bank",
    "R83": "a foreign payment that could not be settled abroad",
    "R84": "a foreign payment that the gateway did not process",
    "R85": "a payment for abroad that was not marked as one",
    "R90": "the account is under a legal hold",
}
"""Return codes in words. R33, R37 to R53 and R80 to R85 belong to classes of entries that we never send."""

CHANGE_MEANINGS: Final[dict[str, str]] = {
    "C01": "the account number is wrong",
    "C02": "the routing number is wrong",
    "C03": "routing number and account number are wrong",
    "C04": "the receiver's name is wrong",
    "C05": "the transaction code is wrong: another type of account",
    "C06": "account number and transaction code are wrong",
    "C07": "routing number, account number and transaction code are wrong",
    "C08": "the foreign bank's identification is wrong",
    "C09": "the receiver's identification is wrong",
    "C10": "the company's name is wrong",
    "C11": "the company's identification is wrong",
    "C12": "the company's name and identification are wrong",
    "C13": "the addenda's format is wrong; the entry was posted",
    "C14": "the entry class is wrong for a payment that goes abroad",
}

DETAIL_CODES: Final = frozenset({"C01", "C02", "C03", "C05", "C06", "C07"})
"""Change codes that correct routing number, account number or type of account."""

_TREATED: Final[dict[Treatment, str]] = {
    Treatment.ACCOUNT_DEAD: "R02 R03 R04 R12 R13 R14 R15 R20 R28 R34",
    Treatment.LEGAL: "R16 R90",
    Treatment.REFUSED_OR_DUPLICATE: "R23 R24",
    Treatment.FORMAT: "R17 R18 R19 R21 R22 R25 R26 R27 R30 R35 R36",
    Treatment.BANK_TEMPORARY: "R32",
    Treatment.AGREED_WITH_BANK: "R06 R31",
    Treatment.DEBIT_RETRY: "R01 R09",
    Treatment.DEBIT_STOPPED: "R08 R29",
    Treatment.DEBIT_DISPUTED: "R05 R07 R10 R11",
    Treatment.DISHONORED: "R61 R62 R63 R64 R65 R66 R67 R68 R69 R70",
    Treatment.CONTESTED: "R71 R72 R73 R74 R75 R76 R77",
    Treatment.CORRECT_DETAILS: " ".join(sorted(DETAIL_CODES)),
    Treatment.CORRECT_OTHER: "C04 C08 C09 C10 C11 C12 C13 C14",
}
TREATMENTS: Final[dict[str, Treatment]] = {
    code: treatment for treatment, codes in _TREATED.items() for code in codes.split()
}
"""The treatment of each code that has one; R17 is also a suspicion of fraud, see ``treatment_of``."""


def treatment_of(code: str, information: str = "", details_age_days: int | None = None) -> Treatment:
    """Say how an answer is treated.

    Args:
        code: of the answer, such as ``R03``.
        information: addenda information of a return.
        details_age_days: days since the bank details of the entry's receiver changed; None: they never did.
    """
    is_questionable = code == "R17" and FRAUD_MARK in information.upper()
    if is_questionable and details_age_days is not None and details_age_days < FRESH_DETAILS_DAYS:
        return Treatment.FRAUD
    return TREATMENTS.get(code, Treatment.UNKNOWN)


def meaning_of(code: str) -> str:
    """Say what a code means."""
    if code == OUR_REVERSAL:
        return "we asked for it back, by a reversing entry"
    return RETURN_MEANINGS.get(code) or CHANGE_MEANINGS.get(code) or "a code that is not known here"
