"""Files as this company sends them: of each kind, in the form that the bank wants, read back before they leave."""

from datetime import date, datetime
from io import BytesIO

import pytest

from payouts.ach.payout_file import PLAIN, FileForm, FileHead, FileKind, MadeFile, OutgoingEntry, make_ach_file
from payouts.cycle.cycles import Originator
from payouts.nacha.codes import LineEnd
from payouts.nacha.errors import NachaError
from payouts.nacha.models import AchFile
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha

SENDER = Originator("091000019", "1999999999", "EXAMPLE PSAO", "HCCLAIMPMT")
HEAD = FileHead(
    business_date=date(2026, 11, 17),
    effective_on=date(2026, 11, 18),
    made_at=datetime.fromisoformat("2026-11-17T09:05:59-05:00"),
    id_modifier="B",
    reference="CP7",
)
BALANCED = FileForm(line_end=LineEnd.CRLF, offset_account="000123456789")


def entry(number: int, cents: int, account_type: str = "checking", name: str = "MAIN STREET PHARMACY") -> OutgoingEntry:
    """Give an entry before it has its trace number."""
    return OutgoingEntry(
        routing_number="121042882",
        account_number=f"00012345{number}",
        account_type=account_type,
        ncpdp_id=f"391234{number}",
        receiver_name=name,
        amount_cents=cents,
        reassociation_trace=f"CP7P{number}" if cents else None,
    )


def read(made: MadeFile) -> AchFile:
    """Read a file back."""
    (file,) = [payment_file(each) for each in read_nacha(BytesIO(made.data), "made.ach").accepted_files()]
    return file


@pytest.mark.parametrize(
    ("kind", "cents", "codes", "description", "totals"),
    [
        (FileKind.PAYOUTS, 5_00, ["22", "32"], "HCCLAIMPMT", (10_00, 0)),
        (FileKind.PRENOTES, 0, ["23", "33"], "PRENOTE", (0, 0)),
        (FileKind.REVERSALS, 5_00, ["27", "37"], "REVERSAL", (0, 10_00)),
    ],
)
def test_each_kind_has_its_codes(
    kind: FileKind, cents: int, codes: list[str], description: str, totals: tuple[int, int]
) -> None:
    """Checking and savings: credits, prenotes of nothing, debits; the description says which; totals on their side."""
    entries = [entry(1, cents), entry(2, cents, "savings")]
    made = make_ach_file(kind, entries, [41, 42], SENDER, head=HEAD, form=PLAIN)
    file = read(made)
    (batch,) = file.batches
    assert [each.transaction_code for each in batch.entries] == codes
    assert (batch.entry_description, batch.credit_cents, batch.debit_cents) == (description, *totals)
    assert (made.credit_cents, made.debit_cents, made.offset_cents) == (*totals, 0)
    assert made.traces == ("091000010000041", "091000010000042")
    assert (file.created_on, file.created_time.isoformat(), file.id_modifier) == (date(2026, 11, 17), "09:05:00", "B")
    assert (batch.effective_entry_date, file.reference_code) == (date(2026, 11, 18), "CP7")


@pytest.mark.parametrize(
    ("kind", "codes", "offset"),
    [
        (FileKind.PAYOUTS, ["22", "22", "27"], 10_00),
        (FileKind.REVERSALS, ["27", "27", "22"], 10_00),
        (FileKind.PRENOTES, ["23", "23"], 0),
    ],
)
def test_a_balanced_form_ends_with_our_own_account(kind: FileKind, codes: list[str], offset: int) -> None:
    """Payments and reversals get an entry of their total under the next trace; prenotes move nothing and get none."""
    cents = 0 if kind is FileKind.PRENOTES else 5_00
    made = make_ach_file(kind, [entry(1, cents), entry(2, cents)], [41, 42, 43], SENDER, head=HEAD, form=BALANCED)
    assert [each.transaction_code for each in read(made).batches[0].entries] == codes
    assert made.offset_cents == offset
    assert made.credit_cents == made.debit_cents == offset
    assert made.traces[-1].endswith("43" if offset else "42")
    assert made.data.count(b"\r\n") == made.data.count(b"\n") == 10


def test_a_name_is_fitted_and_told() -> None:
    """Accents go, the name alone is cut at 22, and whose it was is said; an empty rest becomes the NCPDP id."""
    entries = [entry(1, 1, name="Farmacia Ñandú of the Very Long Name"), entry(2, 1, name="日本")]
    made = make_ach_file(FileKind.PAYOUTS, entries, [1, 2], SENDER, head=HEAD, form=PLAIN)
    assert [each.receiver_name for each in read(made).batches[0].entries] == ["Farmacia Nandu of the", "3912342"]
    assert made.cut_names == ("3912341",)


def test_what_does_not_fit_is_refused_by_field() -> None:
    """An account number of eighteen characters, a prenote of a cent: the error names the field."""
    long = entry(1, 5)
    too_long = OutgoingEntry(
        routing_number=long.routing_number,
        account_number="1" * 18,
        account_type="checking",
        ncpdp_id=long.ncpdp_id,
        receiver_name="X",
        amount_cents=5,
        reassociation_trace="CP1",
    )
    for kind, wrong, field in (
        (FileKind.PAYOUTS, too_long, "account_number"),
        (FileKind.PRENOTES, long, "amount_cents"),
    ):
        with pytest.raises(NachaError) as refused:
            make_ach_file(kind, [wrong], [1], SENDER, head=HEAD, form=PLAIN)
        assert refused.value.field == field


def test_no_account_is_in_a_printed_value() -> None:
    """Neither the entry nor the form shows a number."""
    shown = repr(entry(1, 5)) + repr(BALANCED)
    assert "00012345" not in shown
