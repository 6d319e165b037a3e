"""CAMT.053: what banks write is read to the cent; what does not foot or is no statement is refused with its place."""

import io
from dataclasses import replace
from datetime import date

import pytest

from app.demo.simulator.camt053 import write_camt053
from ingest.bank import camt053
from ingest.bank.bai2 import read_bai2
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.camt053 import read_camt053
from ingest.bank.statement import BankFile, BankItem, BankStatement
from ingest.bank.traces import traces_of
from schemas.errors import UnreadableError
from schemas.findings import Finding, Severity
from tests.support.camt053 import ACCOUNT, DAY, Details, Entry, Page, Style, camt

TRN = "TRN*1*T100*1360000001~"


def _file(*pages: Page, style: Style | None = None) -> BankFile:
    return read_camt053(io.BytesIO(camt(*pages, style=style)), "x.xml")


def _statement(*entries: Entry, style: Style | None = None) -> BankStatement:
    (statement,) = _file(Page(entries=entries), style=style).statements
    return statement


def _item(entry: Entry) -> BankItem:
    (item,) = _statement(entry).items
    return item


def _refused(content: bytes) -> dict[str, Finding]:
    """Give the findings of a file that is refused, by rule."""
    with pytest.raises(UnreadableError) as caught:
        read_camt053(io.BytesIO(content), "x.xml")
    return {each.rule: each for each in caught.value.findings}


# What is read --------------------------------------------------------------------------------------------------------


def test_the_same_day_reads_the_same_as_bai2() -> None:
    """A statement of both formats comes out as the same items between the same balances."""
    lines = [
        StatementLine("142", 500_00, "R1", "C1", f"HARROWGATE HCCLAIMPMT {TRN}{'X' * 200} Y"),
        StatementLine("455", 120_00, "R2", "", "ACH ORIGINATION"),
        StatementLine("257", 7, "", "", ""),
    ]
    (one,) = read_bai2(
        io.BytesIO(write_bai2(account=ACCOUNT, as_of=DAY, opening_cents=-9_00, items=lines)), "x"
    ).statements
    (other,) = read_camt053(
        io.BytesIO(write_camt053(account=ACCOUNT, as_of=DAY, opening_cents=-9_00, items=lines)), "x"
    ).statements
    assert (other.account, other.as_of, other.currency, other.is_booked) == (ACCOUNT, DAY, "USD", True)
    assert (other.opening_cents, other.closing_cents) == (one.opening_cents, one.closing_cents) == (-9_00, 371_07)
    assert [replace(each, line=0, text_spaced="") for each in other.items] == [
        replace(each, line=0, text_spaced="") for each in one.items
    ]


@pytest.mark.parametrize("version", range(2, 14))
def test_every_version_is_read(version: int) -> None:
    """From 001.02 to 001.13, whose status and details stand in other elements."""
    entry = Entry(cents=500_00, details=[Details(cents=500_00, ustrd=[TRN], nested=version < 4)])
    for style in (Style(version=version), Style(version=version, prefix="n0", is_indented=True)):
        statement = _statement(entry, style=style)
        assert [(each.amount_cents, traces_of(each)) for each in statement.items] == [
            (500_00, [("T100", "1360000001")])
        ]


@pytest.mark.parametrize("version", [1, 14, 80])
def test_other_versions_are_refused(version: int) -> None:
    """A version that nobody has seen may mean something else."""
    assert set(_refused(camt(Page(), style=Style(version=version)))) == {"namespace"}


@pytest.mark.parametrize("prefix", ["", "n0"])
def test_an_iban_is_an_account(prefix: str) -> None:
    """The account stands as IBAN or under another scheme."""
    (statement,) = _file(Page(account="GB33BUKB20201555555555"), style=Style(uses_iban=True, prefix=prefix)).statements
    assert statement.account == "GB33BUKB20201555555555"


@pytest.mark.parametrize(
    ("details", "further"),
    [
        (Details(ustrd=["HCCLAIMPMT ", TRN]), ""),
        (Details(ustrd=["HCCLAIMPMT TRN*1*T1", "00*1360000001~", "MORE"]), ""),
        (Details(ustrd=["HCCLAIMPMT TRN*1*T100*13600", "00001~"]), ""),
        (Details(ustrd=["HCCLAIMPMT\n   TRN*1*T100*1360000001~\n"]), ""),
        (Details(further="CCD TRN*1*T100*13\r\n   60000001~"), ""),
        (Details(end_to_end=TRN), ""),
        (Details(further=f"CCD ADDENDA {TRN}"), ""),
        (Details(ustrd=["HCCLAIMPMT"]), f"ADDENDA {TRN}"),
    ],
    ids=[
        "pieces",
        "cut in the trace",
        "cut in the payer",
        "line break",
        "cut by a line break",
        "end to end",
        "further",
        "of the entry",
    ],
)
def test_a_trace_is_found_wherever_it_stands(details: Details, further: str) -> None:
    """In one or several pieces of the remittance, in the end-to-end id, or in what is added."""
    item = _item(Entry(cents=1, details=[details], further=further))
    found = traces_of(item)
    assert found == [("T100", "1360000001")]


def test_an_end_to_end_id_that_nobody_gave_is_none() -> None:
    """NOTPROVIDED is no reference."""
    item = _item(Entry(cents=1, details=[Details()]))
    assert (item.bank_reference, item.customer_reference) == ("REF1", "")


@pytest.mark.parametrize(
    ("codes", "proprietary", "cents", "is_reversal", "expected"),
    [
        (("PMNT", "RCDT", "ESCT"), "", 1, False, "142"),
        (("PMNT", "RCDT", "ESCT"), "165", 1, False, "165"),
        (("PMNT", "RCDT", "ESCT"), "455", 1, False, "142"),
        (("PMNT", "ICDT", "ESCT"), "", -1, False, "455"),
        (("PMNT", "ICDT", "RRTN"), "", 1, False, "257"),
        (("PMNT", "ICDT", "ESCT"), "", 1, True, "257"),
        (("PMNT", "RCDT", "ESCT"), "", -1, True, "557"),
        (("ACMT", "MDOP", "CHRG"), "", -1, False, "698"),
        (("CAMT", "ACCB", "SWEP"), "", -1, False, "CAMT.ACCB.SWEP"),
        ((), "NCHK", 1, False, "NCHK"),
        ((), "", 1, False, "NTAV"),
    ],
)
def test_the_kind_of_movement(
    codes: tuple[str, ...], proprietary: str, cents: int, *, is_reversal: bool, expected: str
) -> None:
    """The bank's own BAI2 code where it fits the direction; else what the ISO code means; else the ISO code."""
    entry = Entry(cents=cents, codes=codes, proprietary=proprietary, is_reversal=is_reversal)
    assert _item(entry).type_code == expected


def test_a_reversal_keeps_its_own_direction() -> None:
    """The indicator says that it takes something back; which way the money goes, credit or debit says."""
    item = _item(Entry(cents=-5, is_reversal=True))
    assert (item.is_credit, item.amount_cents) == (False, 5)


def test_only_booked_entries_move_money() -> None:
    """Pending entries and notes are left out of the items and told as warnings, so many of each."""
    entries = [
        Entry(cents=5),
        Entry(cents=7, status="PDNG"),
        Entry(cents=7, status="PDNG"),
        Entry(cents=9, status="INFO"),
    ]
    file = _file(Page(entries=entries))
    assert [each.amount_cents for each in file.statements[0].items] == [5]
    assert [(each.severity, each.found) for each in file.warnings] == [
        (Severity.WARN, "1 entries of status INFO"),
        (Severity.WARN, "2 entries of status PDNG"),
    ]


def test_an_entry_of_nothing_moves_nothing() -> None:
    """A zero-amount entry, or part of a batch, is passed over."""
    assert _statement(Entry(cents=0)).items == ()
    batch = Entry(cents=5, details=[Details(cents=5), Details(cents=0)])
    assert [each.amount_cents for each in _statement(batch).items] == [5]


# Batches -------------------------------------------------------------------------------------------------------------


def test_a_batch_that_sums_is_split() -> None:
    """Each transaction is an item with its own reference and trace, a deduction among them a debit."""
    details = [
        Details(cents=300, ustrd=["TRN*1*A1*1360000001~"], reference="D1"),
        Details(cents=250, ustrd=["TRN*1*A2*1360000001~"], reference="D2"),
        Details(cents=-50, ustrd=["FEE"]),
    ]
    items = _statement(Entry(cents=5), Entry(cents=500, details=details)).items
    assert [(each.amount_cents, each.is_credit, each.bank_reference, each.batch, each.ordinal) for each in items] == [
        (5, True, "REF1", 0, 1),
        (300, True, "D1", 2, 2),
        (250, True, "D2", 2, 3),
        (50, False, "REF1", 2, 4),
    ]
    assert [traces_of(each)[0][0] for each in items[1:3]] == ["A1", "A2"]


@pytest.mark.parametrize("others", [[Details(cents=199)], [Details(cents=201)], []])
def test_details_that_do_not_sum_are_refused(others: list[Details]) -> None:
    """A cent too little, a cent too much, or one transaction of another amount."""
    entry = Entry(cents=500, details=[Details(cents=300), *others])
    finding = _refused(camt(Page(entries=[entry])))["details_sum"]
    assert finding.element == "Stmt[1]/Ntry[1]/NtryDtls/TxDtls/Amt"
    assert finding.expected == "CRDT 500 cents"


def test_details_without_amounts_stay_one_item() -> None:
    """Where one of several says no amount, nobody could split them: the entry is one item that names all payments."""
    details = [Details(cents=300, ustrd=["TRN*1*A1*1360000001~"]), Details(ustrd=["TRN*1*A2*1360000001~"])]
    item = _item(Entry(cents=500, details=details))
    assert (item.amount_cents, item.batch) == (500, 0)
    assert [trace for trace, _ in traces_of(item)] == ["A1", "A2"]


# What does not foot --------------------------------------------------------------------------------------------------


def test_balances_and_entries_have_to_agree() -> None:
    """Opening balance, credits and debits make the closing balance, or the file is refused."""
    finding = _refused(camt(Page(entries=[Entry(cents=500)], opening_cents=100, closing_cents=599)))["balance"]
    assert (finding.expected, finding.found) == ("600 cents", "599 cents")


@pytest.mark.parametrize("page", [Page(opening_cents=None), Page(has_closing=False)])
def test_a_balance_that_is_missing(page: Page) -> None:
    """Without one of the two nobody could tell whether an entry was lost."""
    assert "balance_present" in _refused(camt(page))


def test_the_closing_balance_before_opens_the_day() -> None:
    """PRCD stands for OPBD where a bank gives that."""
    (statement,) = _file(Page(opening_cents=77, opening_code="PRCD", entries=[Entry(cents=3)])).statements
    assert (statement.opening_cents, statement.closing_cents) == (77, 80)


@pytest.mark.parametrize(("sums", "fits"), [((7, 2), True), ((8, 2), False), ((7, 0), False)])
def test_the_banks_own_sums(sums: tuple[int, int], *, fits: bool) -> None:
    """The entries make up the totals that the bank gives."""
    content = camt(Page(entries=[Entry(cents=7), Entry(cents=-2)], sums=sums))
    if fits:
        assert len(read_camt053(io.BytesIO(content), "x").statements[0].items) == 2
    else:
        assert set(_refused(content)) == {"side_total"}


@pytest.mark.parametrize(
    "text", ["5", "5.0", "5.000", "5,00", "-5.00", "+5.00", "5e2", "0x5.00", ".50", "", "\u0665.00"]
)
def test_amounts_have_two_decimals(text: str) -> None:
    """Anything else could be read in two ways; the finding says where it stands."""
    content = camt(Page(entries=[Entry(cents=5_00)]))
    before, _, after = content.decode().rpartition(">5.00<")
    finding = _refused(f"{before}>{text}<{after}".encode())["amount"]
    assert finding.element == "Stmt[1]/Ntry[1]/Amt"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("CRDT</CdtDbtInd><Sts>", "CRED</CdtDbtInd><Sts>", "code"),
        ('Ccy="USD">5.00', 'Ccy="EUR">5.00', "currency"),
        ('<Amt Ccy="USD">5.00</Amt>', "", "amount"),
        ('<Amt Ccy="USD">5.00</Amt>', '<Amt Ccy="USD">5.00</Amt><Amt Ccy="USD">6.00</Amt>', "element_once"),
        ("<Sts><Cd>BOOK</Cd></Sts>", "", "status"),
        ("<BookgDt><Dt>2026-11-16", "<BookgDt><Dt>2026-11-31", "date"),
        ("<BookgDt><Dt>2026-11-16", "<BookgDt><Dt>2026-11-15", "statement_is_of_one_day"),
        ("<Id><Othr><Id>000123456789</Id></Othr></Id>", "<Id/>", "account"),
        ("<Ntry>", "<Ntry><Ntry></Ntry>", "entry_place"),
    ],
)
def test_what_is_wrong_has_its_rule_and_place(old: str, new: str, rule: str) -> None:
    """Each mistake is a finding with a line and a path."""
    content = camt(Page(entries=[Entry(cents=5_00)], opening_cents=1_00), style=Style(is_indented=False)).decode()
    assert old in content
    findings = _refused(content.replace(old, new, 1).encode())
    assert rule in findings, findings
    assert findings[rule].line == 2
    assert ACCOUNT not in findings[rule].sentence()


def test_an_entry_outside_of_a_statement() -> None:
    """Money that stands nowhere is not passed over."""
    content = camt(Page()).replace(b"</BkToCstmrStmt>", b"<Ntry></Ntry></BkToCstmrStmt>")
    assert set(_refused(content)) == {"entry_place"}


def test_a_statement_is_of_one_account_and_one_balance_of_a_kind() -> None:
    """A second account or a second closing balance in one statement is refused."""
    content = camt(Page()).decode()
    account = content[content.index("<Acct>") : content.index("</Acct>") + 7]
    assert "element_once" in _refused(content.replace(account, account * 2).encode())
    balance = content[
        content.rindex("<Bal>", 0, content.index("CLBD")) : content.index("</Bal>", content.index("CLBD")) + 6
    ]
    assert "balance_once" in _refused(content.replace(balance, balance * 2).encode())


# Pages ---------------------------------------------------------------------------------------------------------------


def _pages(*numbers: int, last: int) -> bytes:
    """Write pages of one statement of ten cents a page, in this order."""
    count = len(set(numbers))
    return camt(
        *(
            Page(
                entries=[Entry(cents=10)],
                number=number,
                is_last=number == last,
                opening_cents=0 if number == 1 else None,
                has_closing=number == last,
                closing_cents=10 * count,
            )
            for number in numbers
        )
    )


@pytest.mark.parametrize("numbers", [(1,), (1, 2), (3, 1, 2)])
def test_pages_are_put_together(numbers: tuple[int, ...]) -> None:
    """Whatever their order, pages make one statement: the first opens it, the last closes it."""
    file = read_camt053(io.BytesIO(_pages(*numbers, last=max(numbers))), "x")
    (statement,) = file.statements
    assert (statement.opening_cents, statement.closing_cents) == (0, 10 * len(numbers))
    assert len(statement.items) == len(numbers)


@pytest.mark.parametrize(
    ("numbers", "last", "rule"),
    [
        ((1, 2, 2), 2, "page_once"),
        ((1, 3), 3, "pages_complete"),
        ((2, 3), 3, "pages_complete"),
        ((1, 2), 3, "pages_complete"),
        ((1, 2, 3), 2, "pages_complete"),
    ],
)
def test_pages_that_are_missing_or_repeated(numbers: tuple[int, ...], last: int, rule: str) -> None:
    """A page twice, a gap, no first or no last page: nobody could tell what the day was."""
    assert rule in _refused(_pages(*numbers, last=last))


@pytest.mark.parametrize("said", [("2", "true"), ("1", "false")])
def test_a_message_of_several_is_refused(said: tuple[str, str]) -> None:
    """The older way of paging, by message, has to come in one."""
    pages = f"<MsgPgntn><PgNb>{said[0]}</PgNb><LastPgInd>{said[1]}</LastPgInd></MsgPgntn>"
    assert set(_refused(camt(Page(), style=Style(message_pages=pages)))) == {"pages_complete"}


def test_several_accounts_and_days() -> None:
    """Each Stmt is a statement; those of the same name without page numbers are not one."""
    file = _file(
        Page(entries=[Entry(cents=5)]),
        Page(account="999", currency="EUR"),
        Page(day=date(2026, 11, 17), opening_cents=5),
    )
    assert [(each.account, each.as_of.day, each.currency) for each in file.statements] == [
        (ACCOUNT, 16, "USD"),
        ("999", 16, "EUR"),
        (ACCOUNT, 17, "USD"),
    ]


# XML that is no statement, or an attack ------------------------------------------------------------------------------


_BOMB = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10 if number else "lol"}">' for number in range(10))


@pytest.mark.parametrize(
    "declared",
    [
        "<!DOCTYPE Document>",
        f"<!DOCTYPE Document [{_BOMB}]>",
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE Document [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]>',
    ],
    ids=["empty", "billion laughs", "external entity", "external type", "parameter entity"],
)
@pytest.mark.parametrize("used", ["", "&l9;", "&x;"])
def test_document_types_are_refused(declared: str, used: str) -> None:
    """Neither entities nor anything that is fetched from elsewhere, used or not."""
    content = camt(Page(entries=[Entry(cents=5, further="USED")])).decode()
    content = content.replace("?>\n", f"?>\n{declared}\n", 1).replace("USED", used)
    findings = _refused(content.encode())
    assert findings.keys() <= {"no_document_type", "xml_well_formed"}, findings


def test_an_entity_in_the_root_itself() -> None:
    """A bomb that goes off before the first element is whole is refused as well."""
    content = camt(Page()).decode().replace("?>\n", f"?>\n<!DOCTYPE Document [{_BOMB}]>\n", 1)
    content = content.replace("<Document ", '<Document x="&l9;" ', 1)
    assert _refused(content.encode()).keys() <= {"no_document_type", "xml_well_formed"}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "xml_well_formed"),
        (b"<a/>", "namespace"),
        (b"<BkToCstmrStmt></BkToCstmrStmt>", "namespace"),
        (camt(Page())[:-30], "xml_well_formed"),
        (camt(), "file_has_statements"),
        (camt(Page()).replace(b"053.001", b"052.001"), "namespace"),
    ],
)
def test_what_is_no_statement(content: bytes, rule: str) -> None:
    """Nothing, other XML, half a file, a message without a statement, an intraday report."""
    assert rule in _refused(content)


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More bytes than any bank sends are not read."""
    monkeypatch.setattr(camt053, "BYTES_LIMIT", 2_000)
    assert "file_size" in _refused(camt(Page(entries=[Entry(cents=1)] * 50)))


def test_what_banks_add_of_their_own_is_passed_over() -> None:
    """Comments, instructions, and elements of other namespaces change nothing."""
    other = '<!-- note --><?pi x?><b:Amt xmlns:b="urn:bank">7.00</b:Amt>'
    assert [each.amount_cents for each in _statement(Entry(cents=5), style=Style(others=[other])).items] == [5]


def test_lines_are_told() -> None:
    """The line of a finding is the entry's, first = 1."""
    content = camt(Page(entries=[Entry(cents=5), Entry(cents=6)]), style=Style(is_indented=True)).decode()
    number = [place for place, line in enumerate(content.splitlines(), 1) if "<Ntry>" in line][1]
    assert _refused(content.replace(">0.06<", ">6<").encode())["amount"].line == number
