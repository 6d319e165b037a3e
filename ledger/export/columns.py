"""The columns of the flat files, in their order: the one place that says it.

The names of the Audit Data Standards (AICPA, general ledger and base standard, July 2015) are taken from secondary
sources that agree with each other; their order and which of them are required are not confirmed from the standard
itself. What we do not know of (a person's first name, a change of an entry, which can not happen) stays empty.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_RISKY: Final = "'=', '+', '-', '@', E'\\t', E'\\r'"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a flat file.

    Args:
        name: at its head, and in the statement that gives the rows.
        is_free: whether people or files decide what stands there; such a cell may not begin like a formula.
    """

    name: str
    is_free: bool = False

    @property
    def cell(self) -> str:
        """Give the expression of its cells; what a spreadsheet would run begins with an apostrophe."""
        if not self.is_free:
            return f'"{self.name}"'
        return f"""CASE WHEN left("{self.name}", 1) IN ({_RISKY}) THEN '''' || "{self.name}" ELSE "{self.name}" END"""


def _columns(names: str, free: str = "") -> tuple[Column, ...]:
    return tuple(Column(name, name in free.split()) for name in names.split())


def header(columns: Sequence[Column]) -> bytes:
    """Give the first row of a file."""
    return (",".join(each.name for each in columns) + "\r\n").encode()


GL_DETAIL: Final = _columns(
    "Journal_ID Journal_ID_Line_Number JE_Header_Description JE_Line_Description Source Business_Unit_Code "
    "Effective_Date Fiscal_Year Period GL_Account_Number Amount Amount_Credit_Debit_Indicator Amount_Currency "
    "Reporting_Amount Reporting_Amount_Currency Local_Amount Local_Amount_Currency Entered_By Entered_Date "
    "Entered_Time Approved_By Approved_Date Last_Modified_By Last_Modified_Date Reversal_Indicator "
    "Reversal_Journal_ID Segment01 Segment02 Segment03 Segment04 Segment05",
    free="Entered_By Approved_By Segment02",
)
"""Segments: member (NCPDP id), payer, bank account, reference, transaction."""

TRIAL_BALANCE: Final = _columns(
    "GL_Account_Number Business_Unit_Code Fiscal_Year Period Balance_As_Of_Date Amount_Beginning Amount_Ending "
    "Amount_Currency Reporting_Amount_Beginning Reporting_Amount_Ending Reporting_Amount_Currency "
    "Local_Amount_Beginning Local_Amount_Ending Local_Amount_Currency"
)
"""Signed, debit positive: an amount below zero begins with a minus, which is a number and stays one."""

CHART_OF_ACCOUNTS: Final = _columns(
    "GL_Account_Number GL_Account_Name Account_Type Account_Subtype FS_Caption GL_Account_Description "
    "Parent_GL_Account_Number"
)
SOURCE_LISTING: Final = _columns(
    "Source Source_Description ERP_Subledger_Module Business_Process_Major Business_Process_Minor"
)
BUSINESS_UNIT_LISTING: Final = _columns("Business_Unit_Code Business_Unit_Description Business_Unit_Parent")
USER_LISTING: Final = _columns(
    "User_ID User_Active_Status User_Active_Modified_Date First_Name Last_Name Title Department Role_Responsibility",
    free="User_ID",
)

JOURNAL: Final = _columns(
    "journal line transaction entry transaction_event event fact_key fact_on effective_on recorded_at actor "
    "approved_by reason bank_line reverses reversed_by ledger owner member_id account reference about payer_id "
    "trace_number amount_cents",
    free="fact_key actor approved_by reason payer_id trace_number",
)
"""Our own form: amounts in signed cents, debit positive; moments in UTC."""
