"""Whose money it is: qualified identifiers of pharmacies and chains as one string, ``NPI:1234567893``.

Source: 005010X221A1, N103/N104 and REF of loop 1000B, TS301 of loop 2000, NM108/NM109 of NM1*82 in loop 2100, PLB01.
A qualifier is believed even when its value has the wrong shape: such a payee is then found nowhere, and a person
decides. Falling through to the next identifier would pay somebody else.
"""

_DIGITS = frozenset("0123456789")


def bare_identifier(value: str) -> str:
    """Qualify a value that comes without qualifier (TS301, PLB01): ten digits are an NPI, seven an NCPDP id."""
    if not value:
        return ""
    if _DIGITS.issuperset(value):
        if len(value) == 10:
            return f"NPI:{value}"
        if len(value) == 7:
            return f"NCPDP:{value}"
    return f"ID:{value}"


def qualified_identifier(qualifier: str, value: str) -> str:
    """Qualify N104 by N103; without a qualifier its shape decides."""
    if not value or not qualifier:
        return bare_identifier(value)
    return f"{'NPI' if qualifier == 'XX' else qualifier}:{value}"


def rendering_identifier(qualifier: str, value: str) -> str:
    """Qualify NM109 of NM1*82; empty when it is no identifier of a pharmacy, such as a blue-plan number."""
    if not value:
        return ""
    if qualifier == "XX":
        return f"NPI:{value}"
    bare = bare_identifier(value)
    if bare.startswith("NCPDP:") or (not qualifier and bare.startswith("NPI:")):
        return bare
    return ""


def payee_identifier(qualifier: str, value: str, references: dict[str, str]) -> str:
    """Choose the identifier of a set's payee: NPI of N1*PE, NCPDP id of REF*D3, REF*PQ, then N104 whatever it is.

    Args:
        qualifier: N103 of N1*PE.
        value: N104 of N1*PE.
        references: REF02 by REF01 among the REFs of N1*PE.
    """
    if qualifier == "XX" and value:
        return f"NPI:{value}"
    if references.get("D3"):
        return f"NCPDP:{references['D3']}"
    if references.get("PQ"):
        return f"PQ:{references['PQ']}"
    return qualified_identifier(qualifier, value)
