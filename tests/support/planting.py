"""Files that name an invented patient, where a remittance may and where no file should: of every kind, sound and not.

What is free text by its nature is left alone: the names of pharmacies and payers, and what a bank writes into the
references and the text of a line. So are the identifiers that money is told apart by (CLP01, CLP07, TRN02, PLB03-2).
"""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from app.demo.remittance import Patient

PATIENT = Patient("QUILLERMARK", "ZEBEDIAH", "QMEMBER77123")
MARKS = (*PATIENT, "INSUREDMARK", "CORRECTEDMARK", "SSN999001234", "STREETMARK", "19310907")
"""Everything of a person that the files hold: patient, insured, corrected name, numbers, street, birth date."""
_NAME, _NUMBER = PATIENT.last_name.encode(), PATIENT.plan_member_id.encode()
_FREE_COLUMNS = {"legal_name", "dba_name", "name", "aliases"}


def with_more_of_the_patient(content: bytes) -> bytes:
    """Add the other segments in which payers name people, to the first claim of the first set, and count them."""
    extra = (
        b"NM1*IL*1*INSUREDMARK*ZEBEDIAH****MI*QMEMBER77123~"
        b"NM1*74*1*CORRECTEDMARK*ZEBEDIAH****C*QMEMBER77123~"
        b"REF*SY*SSN999001234~"
    )
    head, found, tail = content.partition(b"NM1*82")
    assert found
    counted = tail.index(b"~SE*") + 4
    end = tail.index(b"*", counted)
    number = int(tail[counted:end]) + extra.count(b"~")
    return head + extra + found + tail[:counted] + str(number).encode() + tail[end:]


def faulty_remittances(content: bytes) -> list[bytes]:
    """Damage a remittance so that what names the patient stands where codes, amounts and dates are expected."""
    claim = content.index(b"CLP*")
    return [
        content[: content.index(_NUMBER) + 5],
        content[: content.rindex(b"SVC*")],
        *(content[: len(content) * part // 10] for part in range(1, 10)),
        content.replace(b"*1*100.00*100.00*", b"*1*" + _NAME + b"*" + _NUMBER + b"*", 1),
        content.replace(b"DTM*472*", b"DTM*472*" + _NAME, 1),
        content.replace(b"~CAS*", b"~" + _NAME + b"*", 1).replace(b"LX*1~", b"LX*1~" + _NAME + b"*STREETMARK~", 1),
        content[:claim] + b"N3*STREETMARK " + _NAME + b"~DMG*D8*19310907~" + content[claim:],
        content.replace(b"NM1*QC*1*", b"CLP*", 1),
        content.replace(b"SVC*N4:00093505698", b"SVC*" + _NAME + b":" + _NUMBER, 1),
        content.replace(b"*20261231*WO:", b"*" + _NAME + b"*WO:", 1),
        content.replace(b"*1*100.00*100.00*", b"*" + _NAME + b"*100.00*100.00*", 1),
        content.replace(b"*WO:", b"*" + _NAME + b":", 1),
        content.replace(b"BPR*I*", b"BPR*" + _NAME + b"*", 1),
        content.replace(b"~SE*", b"~SE*" + _NAME, 1),
        content.replace(b"~GE*", b"~GE*" + _NAME + b"*", 1),
        content.replace(b"~IEA*", b"~IEA*" + _NAME + b"*", 1),
        _NAME + b" " + content,
        content.replace(b"ISA*00", b"ISA*" + _NAME[:2], 1).replace(b"GS*HP", b"GS*" + _NAME, 1),
    ]


def archives(content: bytes) -> list[bytes]:
    """Pack a remittance under the patient's name: two that open, and those that can not be unpacked."""
    packed = io.BytesIO()
    with gzip.GzipFile("QUILLERMARK.835", "wb", fileobj=packed) as stream:
        stream.write(content)
    whole = _zip((f"{PATIENT.last_name}.835", content))
    flipped = bytearray(whole)
    flipped[whole.index(b"ISA*") + 50] ^= 1
    locked = bytearray(whole)
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    locked[6] |= 1
    return [
        packed.getvalue(),
        whole,
        packed.getvalue()[:-30],
        packed.getvalue() + content[:200],
        whole[:-40],
        bytes(flipped),
        bytes(locked),
        _zip(("STREETMARK 12.835", content), ("QUILLERMARK.txt", b"ZEBEDIAH 19310907")),
        b"\x1f\x8b" + content,
        b"PK\x03\x04" + content,
        zlib.compress(content),
    ]


def other_kinds(content: bytes) -> list[bytes]:
    """Write what no reader is for, or the wrong one: letters, tables, another X12 set, ACH, pages."""
    person = b"QUILLERMARK, ZEBEDIAH; born 19310907; STREETMARK 12; QMEMBER77123"
    return [
        person,
        b"Dear " + person + b"\r\n" * 3,
        b"last_name,first_name,member_id\r\nQUILLERMARK,ZEBEDIAH,QMEMBER77123\r\n",
        b"101 091000019 1999999999261120" + person,
        b"<html><body>" + person + b"</body></html>",
        b'<?xml version="1.0"?><Document><BkToCstmrStmt>' + person,
        b'{"patient": "' + person + b'"}',
        b"%PDF-1.7\n" + person,
        content.replace(b"ST*835*", b"ST*837*"),
        b"ISA*" + person,
        b"01," + person + b"/\r\n02," + person + b"/",
    ]


def faulty_tables(content: bytes) -> Iterator[bytes]:
    """Put the patient into the header of a table, beside its rows, and into a row of another width."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    for place in range(len(rows[0])):
        yield _csv([_with(rows[0], place, "QUILLERMARK"), *rows[1:]])
    yield _csv([rows[0], [*rows[1], "QUILLERMARK"], *rows[2:]])
    yield _csv([rows[0], ["QUILLERMARK", "ZEBEDIAH"]])
    yield content + b'"QUILLERMARK\xff, ZEBEDIAH'


def misplaced_cells(content: bytes) -> Iterator[bytes]:
    """Put the patient into each cell of a table's first row where no free text belongs."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    for place, column in enumerate(rows[0]):
        if column not in _FREE_COLUMNS:
            yield _csv([rows[0], _with(rows[1], place, "QUILLERMARK ZEBEDIAH"), *rows[2:]])


def faulty_statements(content: bytes) -> Iterator[bytes]:
    """Put the patient into each field of a bank's statement (BAI2) where a code, number or date belongs."""
    lines = content.decode().splitlines()
    for number, line in enumerate(lines):
        fields = line.removesuffix("/").split(",")
        last = {"16": 4, "88": 0}.get(fields[0], len(fields))
        for place in range(last):
            changed = ",".join(_with(fields, place, "QUILLERMARK")) + "/" * line.endswith("/")
            yield "\r\n".join([*lines[:number], changed, *lines[number + 1 :], ""]).encode()
    yield content + b"QUILLERMARK,ZEBEDIAH/\r\n"


def _with(cells: Sequence[str], place: int, cell: str) -> list[str]:
    return [*cells[:place], cell, *cells[place + 1 :]]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _zip(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()
