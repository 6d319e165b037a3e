"""Our bank's own ways: NACHA files that it sends otherwise than the format says, and how it wants ours."""

import io
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from tests.support.bank import paid_out
from tests.support.command import Shell
from tests.support.nacha_files import ANSWER_LINES
from tests.support.office import Office
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
WITHOUT_CONTROL = "\n".join(line for line in ANSWER_LINES if line[0] != "9").encode()


@dataclass(frozen=True)
class _Installation(Shell):
    """Where commands run with settings of their own."""

    settings: tuple[tuple[str, str], ...] = ()

    def environment(self, user: str | None) -> dict[str, str]:
        """Give the variables of every command and these."""
        return super().environment(user) | dict(self.settings)


def of(office: Office, **settings: str) -> Office:
    """Give the same office with settings of its own."""
    shell = office.shell
    return replace(office, shell=_Installation(shell.home, shell.database_url, tuple(settings.items())))


def bank_balance(office: Office) -> int:
    """Sum the owners' shares of the custodial account."""
    return sum(cents for (_, _, account), cents in office.trial_balance().items() if account == "cash")


def test_a_habit_of_the_bank_is_named_once_and_let_through(office: Office) -> None:
    """A file of two answers without its file control: quarantined with its line, exit 3; accepted once it is named."""
    refused = office.receive(WITHOUT_CONTROL, name="answers.ach", code=3)
    assert [finding["rule"] for finding in refused["findings"] if finding["severity"] == "refuse"] == [
        "file_control_present"
    ]
    lenient = of(office, CENTRALPAY_BANK_LENIENCIES="missing_file_control")
    assert lenient.receive(WITHOUT_CONTROL, name="answers.ach")["status"] == "accepted"


def test_a_bank_that_wants_balanced_files_gets_them(office: Office) -> None:
    """A 500.00 and B 60.00 go out with one debit of 560.00 to our own account, lines ended by CR LF.

    The bank debits 560.00 once; both payouts settle; bank before 560.00, after 0.00.
    """
    balanced = of(office, CENTRALPAY_ACH_BALANCED="true", CENTRALPAY_ACH_LINE_END="crlf")
    balanced.found(A, B)
    balanced.fund(remittance("T1", MONDAY, Part(A, (500_00,)), Part(B, (60_00,))))
    released = balanced.pay(TUESDAY)
    content = Path(released["nacha_file"]).read_bytes()
    (file,) = [payment_file(each) for each in read_nacha(io.BytesIO(content), "cycle.ach").accepted_files()]
    assert [(each.transaction_code, each.amount_cents) for each in file.batches[0].entries] == [
        ("22", 500_00),
        ("22", 60_00),
        ("27", 560_00),
    ]
    assert content.endswith(b"\r\n")
    listed = balanced.ask("ach", "show", "1")
    assert [each["kind"] for each in listed["entries"]] == ["payout", "payout", "offset"]
    assert (listed["file"]["credit_cents"], listed["file"]["debit_cents"]) == (560_00, 560_00)
    assert bank_balance(balanced) == 560_00
    balanced.book(WEDNESDAY, paid_out("CP1", 560_00))
    assert balanced.match()["settled"]
    assert bank_balance(balanced) == 0
    balanced.prove()
