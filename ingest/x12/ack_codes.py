"""Which code of a 999 or TA1 says what a rule of the reader found: one table for sets, groups and interchanges each.

Source: 005010X231A1, Implementation Acknowledgment for Health Care Insurance (999), elements IK304, IK403, IK502 and
AK905; ASC X12.5 for TA105. A code that begins with ``I`` speaks of the implementation guide, here 005010X221A1; the
others speak of the X12 standard.
"""

from typing import Final, NamedTuple


class SetCodes(NamedTuple):
    """How a finding of a transaction set is said; an empty code says nothing at that place."""

    segment: str
    """IK304, with the segment's place in IK301 and IK302."""
    element: str
    """IK403, with the element's number in IK401."""
    whole: str
    """IK502 and following: what it means for the set."""
    component: int = 0
    """Component of a composite element, 0 for all of it."""


NOT_SUPPORTED: Final = "1"
"""IK502: we do not read sets of this kind."""
SET_KIND_INVALID: Final = "6"
"""IK502: ST01 is no identifier of a set."""
SET_NUMBER_INVALID: Final = "7"
"""IK502: ST02 is no control number."""
OUTSIDE_GROUP: Final = "18"
"""IK502: the set stands in no functional group."""
GUIDE_BROKEN: Final = "I5"
"""IK502: something in the set is not as its implementation guide says."""
ELEMENT_MISSING: Final = "1"
"""IK403: a required element is empty."""
SEGMENT_MISSING: Final = "3"
"""IK304: a required segment is not there."""
GROUP_NUMBER_INVALID: Final = "6"
"""AK905: GS06 is no number."""
NUMBER_INVALID, DATE_INVALID, TIME_INVALID = "018", "014", "015"
"""TA105: ISA13, ISA09 or ISA10 is none."""
NO_ERROR: Final = "000"
"""TA105."""


def _of_element(code: str, component: int = 0) -> SetCodes:
    return SetCodes("8", code, GUIDE_BROKEN if code.startswith("I") else "5", component)


def _of_segment(code: str) -> SetCodes:
    return SetCodes(code, "", "5")


def _of_set(code: str) -> SetCodes:
    return SetCodes("", "", code)


_UNKNOWN_CODE, _NO_NUMBER, _NO_DATE, _TOO_MANY = _of_element("7"), _of_element("6"), _of_element("8"), _of_element("3")
_NOT_AS_THE_GUIDE_SAYS: Final = _of_element("I12")
_ABSENT: Final = _of_element(ELEMENT_MISSING)

SET_CODES: Final[dict[str, SetCodes]] = {
    # The set as a whole
    "transaction_kind": _of_set(NOT_SUPPORTED),
    "set_cut_off": _of_set("2"),
    "set_control_number": _of_set("3"),
    "segment_count": _of_set("4"),
    "findings_cut": _of_set("5"),
    # Segments
    "outside_claim": _of_segment("2"),
    "segment_missing": _of_segment(SEGMENT_MISSING),
    "party_missing": _of_segment(SEGMENT_MISSING),
    "segment_repeated": _of_segment("5"),
    "segment_out_of_place": _of_segment("7"),
    # Elements that can not be read
    "amount": _NO_NUMBER,
    "quantity": _NO_NUMBER,
    "impossible_date": _NO_DATE,
    "trace_number": _ABSENT,
    "rx_number": _ABSENT,
    "plb_provider": _ABSENT,
    "plb_empty": _ABSENT,
    "adjustment_empty": _ABSENT,
    "plb_too_long": _TOO_MANY,
    "adjustment_too_long": _TOO_MANY,
    # Codes
    "handling_code": _UNKNOWN_CODE,
    "credit_debit": _UNKNOWN_CODE,
    "payment_method": _UNKNOWN_CODE,
    "claim_status": _UNKNOWN_CODE,
    "group_code": _UNKNOWN_CODE,
    "plb_reason": _of_element("7", component=1),
    # What the guide says of amounts and of elements that belong together
    "set_balances": _NOT_AS_THE_GUIDE_SAYS,
    "claim_balances": _NOT_AS_THE_GUIDE_SAYS,
    "service_balances": _NOT_AS_THE_GUIDE_SAYS,
    "store_claim_count": _NOT_AS_THE_GUIDE_SAYS,
    "store_charges": _NOT_AS_THE_GUIDE_SAYS,
    "payer_id": _NOT_AS_THE_GUIDE_SAYS,
    "payment_negative": _NOT_AS_THE_GUIDE_SAYS,
    "payment_without_method": _NOT_AS_THE_GUIDE_SAYS,
    "notification_with_payment": _NOT_AS_THE_GUIDE_SAYS,
    "plb_zero": _NOT_AS_THE_GUIDE_SAYS,
}
"""By rule of a set's findings."""

GROUP_CODES: Final[dict[str, str]] = {
    "group_kind": "1",
    "ge_missing": "3",
    "group_control_number": "4",
    "group_count": "5",
}
"""AK905 by rule of a group's flaws."""

INTERCHANGE_CODES: Final[dict[str, str]] = {
    "interchange_control_number": "001",
    "interchange_count": "021",
    "isa_length": "022",
    "isa_missing": "022",
    "isa_unreadable": "022",
    "text_before_interchange": "022",
    "text_after_interchange": "022",
    "iea_missing": "023",
    "gs_missing": "024",
    "outside_set": "024",
    "loop_too_long": "024",
}
"""TA105 by rule of an interchange's flaws."""

UNANSWERED_RULES: Final = frozenset(("file_empty", "interchange_missing", "envelopes_cut"))
"""Rules about what no acknowledgement can reach: a file without interchange, envelopes beyond those remembered."""
