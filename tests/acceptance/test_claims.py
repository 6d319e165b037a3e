"""Claims across files by the commands: find a prescription, list and pair reversals, see what was carried forward."""

from datetime import date

from tests.support.bank import paid_in
from tests.support.books import x12_file
from tests.support.office import AUDITOR, CLERK, Office
from tests.support.reversals import PADDING_CENTS, Said, said_set
from tests.support.trade import A, Part, remittance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def _several(office: Office) -> None:
    """Take in a claim that was paid twice, alike, and taken back once."""
    office.receive(x12_file(said_set("T1", [Said(10_00), Said(10_00), Said(-10_00)], day=MONDAY)))


def test_a_prescription_is_followed(office: Office) -> None:
    """The document names every step; what is not there yet is null, and the sentence says what is missing."""
    said = Said(12_34, rx="0006000123", adjustments=(("PR", "3", 66),), rejects=())
    office.receive(x12_file(said_set("T1", [said], day=MONDAY)))
    office.book(TUESDAY, paid_in("T1", PADDING_CENTS + 12_34))
    office.match()
    document = office.ask("claim", "find", "--rx", "6000123-01", "--member", A.ncpdp_id, user=AUDITOR)
    (claim,) = document["claims"]
    assert document["rx"] == "6000123-01"
    assert claim["rx_number"] == "0006000123"
    assert (claim["charge_cents"], claim["paid_cents"], claim["patient_cents"]) == (13_00, 12_34, 0)
    assert claim["adjustments"] == [
        {"group": "PR", "reason": "3", "amount_cents": 66, "words": "copay (owed by the patient)"}
    ]
    assert claim["advice"] | {"segment": 0} == {
        "advice_id": 1,
        "segment": 0,
        "trace_number": "T1",
        "paid_on": "2026-11-16",
    }
    assert claim["funded"]["funded_on"] == "2026-11-17"
    assert [each["bank_line_id"] for each in claim["funded"]["deposits"]] == [1]
    assert [claim[name] for name in ("promised_cents", "paid", "takes_back", "taken_back_by")] == [None] * 4
    assert claim["missing"] == "The money is here, not yet paid out."
    shown = office.run("claim", "find", "--rx", "6000123").out
    for words in ("Rx 0006000123", "12.34 paid of 13.00", "copay", "bank line 1 of 2026-11-17", "no dispensing record"):
        assert words in shown


def test_what_is_not_found_is_said(office: Office) -> None:
    """No line: a sentence, an empty list, done; a pharmacy that is no member's is wrong use."""
    assert office.ask("claim", "find", "--rx", "1") == {"known_at": None, "rx": "1", "claims": []}
    assert office.run("claim", "find", "--rx", "1").out == "No remittance names prescription 1.\n"
    of_a = office.run("claim", "find", "--rx", "1", "--member", A.ncpdp_id).out
    assert of_a == f"No remittance names prescription 1 of {A.ncpdp_id}.\n"
    office.run("claim", "find", "--rx", "1", "--member", "0000000", code=2)


def test_of_the_past_no_pair_is_told(office: Office) -> None:
    """12.34 are taken back by a later file: now that is said; at the checkpoint before, as it was said before.

    Pairs are found anew with each file, and no trail tells them: an answer of the past leaves them out, both ways.
    """
    office.receive(x12_file(said_set("T1", [Said(12_34)], day=MONDAY)))
    office.ask("ledger", "seal")
    words = ("claim", "find", "--rx", "6000123")
    (was,) = office.ask(*words)["claims"]
    before = office.ask(*words, "--known-at", "latest")["known_at"]["size"]
    office.receive(x12_file(said_set("T2", [Said(-12_34)], day=TUESDAY), control_number=2))
    office.ask("ledger", "seal")
    reversal, original = office.ask(*words)["claims"]
    assert (reversal["takes_back"]["state"], original["taken_back_by"]["trace_number"]) == ("paired", "T2")
    assert office.ask(*words, "--known-at", f"{before}")["claims"] == [was]
    for each in office.ask(*words, "--known-at", "latest")["claims"]:
        assert (each["takes_back"], each["taken_back_by"]) == (None, None)
    assert "The remittance is here" in office.run(*words, "--known-at", f"{before}").out


def test_no_number_or_word_ends_in_a_traceback(office: Office) -> None:
    """Numbers that no column holds, and words that are no text, are answered like any other that finds nothing."""
    _several(office)
    for words in (["1", f"{1 << 31}", "--with", "1", "1"], [f"{1 << 63}", "1", "--with", "1", "1"]):
        assert "is no reversal" in office.run("reversals", "pair", *words, user=CLERK, code=2).err
    office.run("reversals", "list", "--most", "9" * 25, code=2)
    assert office.ask("claim", "find", "--rx", "\udcff%")["claims"] == []
    office.run("claim", "find", "--rx", "1", "--member", "\udcff", code=2)


def test_more_lines_than_asked_for_are_told(office: Office) -> None:
    """The list ends at --most, and standard error says that it does."""
    _several(office)
    outcome = office.run("claim", "find", "--rx", "6000123", "--most", "2")
    assert outcome.out.count("missing") == 2
    assert "latest 2" in outcome.err


def test_a_person_pairs_a_reversal(office: Office) -> None:
    """Listed with its candidates, paired by an operator, refused to others and for anything else; then done."""
    _several(office)
    (listed,) = office.ask("reversals", "list", "--open", user=AUDITOR)["reversals"]
    assert (listed["state"], listed["paid_cents"], listed["original"]) == ("several", -10_00, None)
    first, second = listed["candidates"]
    assert (first["paid_cents"], first["trace_number"], first["fill_on"]) == (10_00, "T1", "2026-11-01")
    shown = office.run("reversals", "list").out
    assert f"{second['advice_id']} {second['segment']}" in shown
    place = [str(listed["advice_id"]), str(listed["segment"])]
    chosen = [str(second["advice_id"]), str(second["segment"])]
    office.run("reversals", "pair", *place, "--with", *chosen, user=AUDITOR, code=5)
    office.run("reversals", "pair", *place, "--with", *place, user=CLERK, code=5)
    office.run("reversals", "pair", *chosen, "--with", *place, user=CLERK, code=2)
    paired = office.ask("reversals", "pair", *place, "--with", *chosen, user=CLERK)
    assert (paired["state"], paired["original"]["segment"]) == ("paired", second["segment"])
    office.run("reversals", "pair", *place, "--with", *chosen, user=CLERK, code=5)
    assert office.ask("reversals", "list", "--open") == {"reversals": []}
    (done,) = office.ask("reversals", "list")["reversals"]
    assert (done["decided_by"], done["original"]["segment"]) == (CLERK, second["segment"])


def test_what_was_carried_is_listed_until_it_is_taken(office: Office) -> None:
    """Each reference and the total by payer and pharmacy; as of a day; open ones only where asked."""
    office.remit(remittance("T1", MONDAY, Part(A, (100_00,), (("FB", -30_00),))))
    office.remit(remittance("T2", TUESDAY, Part(A, (100_00,), (("FB", 30_00),))))
    (then,) = office.ask("forward-balances", "list", "--open", "--as-of", "2026-11-16")["forward_balances"]
    assert (then["ncpdp_id"], then["open_cents"], then["age_days"]) == (A.ncpdp_id, 30_00, 0)
    assert office.ask("forward-balances", "list", "--open") == {
        "as_of": None,
        "known_at": None,
        "forward_balances": [],
    }
    (now,) = office.ask("forward-balances", "list")["forward_balances"]
    assert [each["open_cents"] for each in now["references"]] == [30_00, -30_00]
    shown = office.run("forward-balances", "list").out
    assert "T10" in shown
    assert "30.00" in shown
    office.run("forward-balances", "list", "--as-of", "yesterday", code=2)
