"""What the codes of a remittance mean, in short words for a pharmacy.

Sources of the codes, not of the words: ASC X12 005010X221A1 (CLP02, CAS01, PLB03), the claim adjustment reason codes
(CARC) that X12 publishes, and the NCPDP Telecommunication Standard D.0 (reject code, field 511-FB). Those are here that
pharmacies meet; lists age and payers use others: an unknown code is shown as it is, never refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CLAIM_STATUSES: Final[Mapping[str, str]] = {
    "1": "processed, this payer first",
    "2": "processed, this payer second",
    "3": "processed, this payer third",
    "4": "denied",
    "19": "processed, this payer first, sent on to others",
    "20": "processed, this payer second, sent on to others",
    "21": "processed, this payer third, sent on to others",
    "22": "taken back: an earlier payment reversed",
    "23": "not this payer's claim, sent on",
    "25": "a prediction of pricing only, no payment",
}
"""CLP02."""

ADJUSTMENT_GROUPS: Final[Mapping[str, str]] = {
    "CO": "by contract",
    "CR": "correction",
    "OA": "other",
    "PI": "the payer's own decision",
    "PR": "owed by the patient",
}
"""CAS01: whose the difference between charge and payment is."""

ADJUSTMENTS: Final[Mapping[str, str]] = {
    "1": "deductible",
    "2": "coinsurance",
    "3": "copay",
    "15": "authorization number missing or not valid",
    "16": "information missing or wrong",
    "18": "exact duplicate",
    "22": "another payer may have to pay first",
    "23": "what another payer paid or adjusted",
    "24": "covered by a capitation",
    "26": "filled before coverage began",
    "27": "filled after coverage ended",
    "29": "sent too late",
    "31": "patient not known as insured",
    "45": "charge above the contracted amount",
    "90": "ingredient cost",
    "91": "dispensing fee",
    "94": "paid more than charged",
    "95": "plan's procedure not followed",
    "96": "not covered",
    "97": "included in another payment",
    "100": "paid to the patient",
    "104": "managed care withholding",
    "109": "another payer's claim",
    "119": "maximum benefit reached",
    "129": "earlier processing information wrong",
    "130": "claim submission fee",
    "131": "negotiated discount",
    "136": "another payer's rules not followed",
    "137": "regulatory surcharge or tax",
    "142": "monthly Medicaid patient liability",
    "144": "incentive payment",
    "197": "prior authorization missing",
    "198": "prior authorization exceeded",
    "204": "not covered by the patient's plan",
    "216": "finding of a review",
    "223": "required by law, no other code fits",
    "225": "penalty or interest paid by the payer",
    "253": "sequestration: a cut that federal law makes",
    "295": "pharmacy DIR: the plan's remuneration",
}
"""CARC, the reason of a CAS."""

PLB_REASONS: Final[Mapping[str, str]] = {
    "50": "late charge",
    "51": "interest or penalty charge",
    "72": "refund or return acknowledged",
    "90": "early payment allowance",
    "AH": "origination fee",
    "AM": "applied to a loan of yours",
    "AP": "benefits paid ahead",
    "B2": "rebate",
    "B3": "recovery allowance",
    "BD": "bad debt adjustment",
    "BN": "bonus",
    "C5": "temporary allowance",
    "CS": "adjustment",
    "CT": "capitation payment",
    "E3": "withholding",
    "FB": "balance carried forward",
    "FC": "allocation of a fund",
    "IP": "incentive payment",
    "IR": "withheld for the Internal Revenue Service",
    "IS": "interim settlement",
    "J1": "not reimbursable",
    "L3": "penalty",
    "L6": "interest, all of it the pharmacy's",
    "LE": "levy",
    "LS": "lump sum",
    "OB": "offset for an affiliated provider",
    "PI": "periodic interim payment",
    "PL": "final payment",
    "RA": "retroactive adjustment",
    "SL": "student loan repayment",
    "TL": "third party liability",
    "WO": "overpayment recovered",
    "WU": "recovery for a reason not told",
}
"""First component of PLB03 (X12 data element 426)."""

REJECTS: Final[Mapping[str, str]] = {
    "01": "BIN missing or not valid",
    "04": "processor control number missing or not valid",
    "05": "pharmacy number missing or not valid",
    "06": "group missing or not valid",
    "07": "cardholder id missing or not valid",
    "08": "person code missing or not valid",
    "09": "birth date missing or not valid",
    "13": "other coverage code missing or not valid",
    "15": "date of service missing or not valid",
    "16": "prescription number missing or not valid",
    "17": "fill number missing or not valid",
    "19": "days supply missing or not valid",
    "21": "NDC missing or not valid",
    "22": "dispense-as-written code missing or not valid",
    "25": "prescriber id missing or not valid",
    "26": "unit of measure missing or not valid",
    "28": "date written missing or not valid",
    "34": "submission clarification code missing or not valid",
    "39": "diagnosis code missing or not valid",
    "40": "pharmacy not contracted with the plan on that day",
    "41": "bill another payer first",
    "50": "pharmacy number not on file",
    "51": "group not on file",
    "52": "cardholder id not on file",
    "53": "person code not on file",
    "54": "NDC not on file",
    "56": "prescriber id not on file",
    "60": "not covered at the patient's age",
    "61": "not covered for the patient's gender",
    "62": "patient's name and id do not agree",
    "64": "not what was authorized",
    "65": "patient not covered",
    "66": "patient older than the plan covers",
    "67": "filled before coverage began",
    "68": "filled after coverage expired",
    "69": "filled after coverage was ended",
    "70": "product not covered",
    "71": "prescriber not covered",
    "72": "primary prescriber not covered",
    "73": "refills not covered",
    "74": "another payer paid as much or more",
    "75": "prior authorization required",
    "76": "plan's limits exceeded",
    "77": "NDC discontinued",
    "78": "cost above the plan's maximum",
    "79": "refill too soon",
    "80": "drug does not fit the diagnosis",
    "81": "claim too old",
    "82": "claim dated in the future",
    "83": "duplicate of a paid claim",
    "84": "claim was not paid before",
    "85": "claim not processed",
    "86": "reversal has to be sent on paper",
    "87": "reversal not processed",
    "88": "drug utilization review (DUR)",
    "92": "payer's system not available",
    "99": "payer's system failed",
    "569": "Medicare drug coverage notice has to be given",
    "608": "step therapy: another drug first",
    "6Z": "pharmacy may not provide this service",
    "7W": "more refills than allowed",
    "7X": "days supply above the plan's limit",
    "7Y": "compounds not covered",
    "9E": "quantity does not fit the package",
    "9G": "quantity above the maximum",
    "A5": "not covered under Medicare Part D",
    "A6": "belongs to Medicare Part B",
    "AG": "days supply limit for this product",
    "N1": "patient not found",
}
"""NCPDP reject codes (LQ02 where LQ01 is RX). One-digit codes are kept with their leading zero."""

_ADJUSTMENT: Final = re.compile(r"([A-Z]{2})([0-9A-Z]{1,5}):(-?[0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One CAS amount of a claim, with what its codes mean; positive cents lower the payment."""

    group: str
    reason: str
    amount_cents: int
    words: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One LQ code of a claim, with what it means: a reject (``RX``) or a remark (``HE``)."""

    qualifier: str
    code: str
    words: str


def status_words(code: str) -> str:
    """Say what a CLP02 means."""
    return CLAIM_STATUSES.get(code, f"status {code}")


def plb_words(reason: str) -> str:
    """Say what a PLB reason means, from the pharmacy's side; an unknown one is only called a reason."""
    return PLB_REASONS.get(reason, "a reason of its own")


def adjustments_in_words(said: str | None) -> tuple[Adjustment, ...]:
    """Read the adjustments of a claim line, ``CO45:1234;PR3:-500``; a piece of another form is left out."""
    return tuple(
        Adjustment(group, reason, int(cents), _adjustment_words(group, reason))
        for group, reason, cents in _ADJUSTMENT.findall(said or "")
    )


def reasons_in_words(said: str | None) -> tuple[Reason, ...]:
    """Read the reject and remark codes of a claim line, ``RX:70;HE:N30``."""
    pairs = (each.partition(":") for each in (said or "").split(";") if each)
    return tuple(Reason(qualifier, code, _reason_words(qualifier, code)) for qualifier, _, code in pairs)


def _adjustment_words(group: str, reason: str) -> str:
    return f"{ADJUSTMENTS.get(reason, f'reason {reason}')} ({ADJUSTMENT_GROUPS.get(group, f'group {group}')})"


def _reason_words(qualifier: str, code: str) -> str:
    if qualifier != "RX":
        return f"remark {code}"
    return REJECTS.get(code) or REJECTS.get(code.zfill(2)) or f"reject {code}"
