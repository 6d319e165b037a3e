"""Make the findings of this package: what stands on which line, and what a person does about it."""

from typing import Final

from schemas.findings import Finding, Severity

ASK_SENDER: Final = "Ask the sender for a corrected file."


def refusal(
    rule: str, element: str, expected: object, found: object, line: int, *, advice: str = ASK_SENDER
) -> Finding:
    """Make a finding that refuses the file. ``found`` is a code or a figure, never text of the file."""
    return Finding(rule=rule, element=element, expected=str(expected), found=str(found), line=line, advice=advice)


def warning(rule: str, element: str, expected: object, found: object, line: int, *, advice: str) -> Finding:
    """Make a finding that holds nothing back. ``found`` is a code or a figure, never text of the file."""
    said = refusal(rule, element, expected, found, line, advice=advice)
    return said.model_copy(update={"severity": Severity.WARN})
