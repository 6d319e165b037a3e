"""Which open exceptions a month is closed with, and which not, each with its reason. Here and nowhere else.

An exception blocks where the books of the month may lack something, or say something that is not so. It is carried by
its kind where the books are right as they stand, and what is open is a person's work: the money is where it belongs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ingest.cases import CaseKind


@dataclass(frozen=True, slots=True)
class Rule:
    """What an open exception of a kind means for the close.

    Args:
        blocks: whether the month is not closed with it, unless an approver carries it over by name.
        why: the reason.
        carriable: whether anybody may carry it over.
    """

    blocks: bool
    why: str
    carriable: bool = True


def _blocks(why: str) -> Rule:
    return Rule(blocks=True, why=why)


def _carried(why: str) -> Rule:
    return Rule(blocks=False, why=why)


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        CaseKind.SET_QUARANTINED: _blocks("a remittance was not taken in: its advice may be of the month"),
        CaseKind.SET_CONFLICT: _blocks("a payer says a payment of ours otherwise: one of the two is not what was paid"),
        CaseKind.ADVICE_WITHOUT_DEPOSIT: _carried(
            "advised and not funded: it is in the books as that, and nobody is paid from it"
        ),
        CaseKind.DEPOSIT_WITHOUT_ADVICE: _carried("the money is in the books as unmatched: its remittance comes later"),
        CaseKind.DEPOSIT_SHORT: _carried("the money is in the books as unmatched, the advice as not funded"),
        CaseKind.DEPOSIT_OVER: _carried("what is too much is in the books as unmatched, or as owed to its payer"),
        CaseKind.UNKNOWN_PAYEE: _carried("the money is in the books as an unknown payee's"),
        CaseKind.FLOAT_MISSING: _carried(
            "the deposit is in the books as unmatched until the PSAO's own money covers it"
        ),
        CaseKind.NEGATIVE_MEMBER: _carried("the member's debt and the PSAO's advance are both in the books"),
        CaseKind.NETWORK_ADJUSTMENT: _carried("the adjustment is in the house's book until it is allocated"),
        CaseKind.PAYOUT_DROPPED: _carried("the money is available to its member still, and goes with the next cycle"),
        CaseKind.MATCH_SUGGESTED: _carried("the money is in the books as unmatched until a person decides"),
        CaseKind.DEBIT_UNEXPLAINED: _blocks("money left the account and nothing says whose it was"),
        CaseKind.RETURN_WITHOUT_MONEY: _blocks("a payment came back, and the books have it on its way or paid"),
        CaseKind.ANSWER_UNKNOWN: _blocks("the bank said something of a payment that nobody has understood"),
        CaseKind.CHANGE_NOTIFIED: _carried("bank details of the future: no amount depends on it"),
        CaseKind.BANK_DETAILS_ASKED: _carried("bank details of the future: no amount depends on it"),
        CaseKind.PRENOTE_FAILED: _carried("bank details of the future: no amount depends on it"),
        CaseKind.HOLD_REVIEW: _carried("what is held is in the books as held"),
        CaseKind.UNCLAIMED_DUE: _carried("what will be the state's is in the books as the member's until then"),
        CaseKind.FEEDS_DIFFER: _blocks("two statements of one bank day differ: the books follow one of them"),
        CaseKind.DIRECT_PAY_DIFFERS: _carried("the money is in the books as what it came as"),
        CaseKind.FEE_UNPAID: _carried("the fee is in the books as receivable"),
        CaseKind.FEE_OVER_CONTRACT: _blocks(
            "more fee is kept than the contract asks: the month's certificate would say so"
        ),
        CaseKind.FILE_REFUSED: _blocks("a file was not taken in: what is in it may be of the month"),
        CaseKind.JOB_FAILED: _blocks("something that runs by the clock was not done"),
        CaseKind.PROOF_FAILED: Rule(blocks=True, why="a proof fails", carriable=False),
        "seal_failed": Rule(blocks=True, why="the seal does not hold", carriable=False),
    }
)


def rule_of(kind: str) -> Rule:
    """Give what an open exception of a kind means; one that has no rule blocks, and nobody carries it over."""
    return RULES.get(kind, Rule(blocks=True, why="no rule says that a month is closed with it", carriable=False))
