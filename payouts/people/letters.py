"""Letters as files, for the post or for e-mail: written once, laid out to be read, and again when asked for."""

import textwrap
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ledger import activity
from ledger.files import sync_folder, write_whole
from ledger.queries import Queries
from payouts.accounts.errors import NoticeFolderError, UnknownNoticeError

_QUERIES = Queries("payouts", "notices.sql")
_WIDTH = 72


class Notice(BaseModel):
    """A letter as it is kept; ``written_at`` None waits for being written."""

    model_config = ConfigDict(frozen=True)

    notice_id: int
    ncpdp_id: str
    legal_name: str
    kind: str
    recipient: str
    """Name, postal address and e-mail address of the contact as it was then; empty where none was known."""
    subject: str
    body: str
    made_on: date
    made_by: str
    written_at: datetime | None


class WrittenLetter(BaseModel):
    """A letter and the file that it stands in."""

    model_config = ConfigDict(frozen=True)

    notice_id: int
    ncpdp_id: str
    kind: str
    path: str


def list_notices(connection: Connection, *, everything: bool = False, notice_id: int | None = None) -> list[Notice]:
    """List the letters that wait for being written, or all, or one of them."""
    facts = {"everything": everything, "notice_id": notice_id}
    return [Notice(**row) for row in connection.execute(_QUERIES["list"], facts).mappings()]


def write_letters(
    connection: Connection, out: Path, sender: Sequence[str], actor: str, *, again: int | None = None
) -> list[WrittenLetter]:
    """Write the letters that wait, each as one UTF-8 text file that only its owner can read; they are written then.

    Args:
        connection: of a unit of work; files that are there before it fails are written anew, the same, the next time.
        out: the folder; made when it is not there.
        sender: lines of who writes.
        actor: who acts.
        again: a letter to write whether or not it was written before; nothing else is written then.

    Raises:
        UnknownNoticeError: there is no such letter.
        NoticeFolderError: a file can not be written; no letter counts as written.
    """
    waiting = set(connection.execute(_QUERIES["lock_waiting"]).scalars())
    if again is None:
        letters = [each for each in list_notices(connection) if each.notice_id in waiting]
    else:
        letters = list_notices(connection, everything=True, notice_id=again)
        if not letters:
            raise UnknownNoticeError(again)
    written = [(letter, out / f"letter-{letter.notice_id:06d}-{letter.ncpdp_id}.txt") for letter in letters]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for letter, path in written:
            write_whole(path, letter_text(letter, sender).encode())
        sync_folder(out)
    except OSError as error:
        raise NoticeFolderError(str(out), error.strerror or "it can not be used") from error
    connection.execute(_QUERIES["mark_written"], {"notice_ids": [letter.notice_id for letter in letters]})
    for letter in letters:
        activity.record(connection, actor, "letter_written", f"letter {letter.notice_id}", member=letter.ncpdp_id)
    return [
        WrittenLetter(notice_id=letter.notice_id, ncpdp_id=letter.ncpdp_id, kind=letter.kind, path=str(path))
        for letter, path in written
    ]


def letter_text(letter: Notice, sender: Sequence[str]) -> str:
    """Lay a letter out: who writes and when, to whom, about what, the paragraphs of 72 columns."""
    to = letter.recipient.splitlines() or [letter.legal_name, "(no contact was on file: find the address first)"]
    body = [textwrap.fill(paragraph, _WIDTH) for paragraph in letter.body.split("\n\n")]
    parts = [
        "\n".join([*sender, "", f"{letter.made_on:%B} {letter.made_on.day}, {letter.made_on.year}"]),
        "\n".join(to),
        textwrap.fill(letter.subject, _WIDTH),
        f"Pharmacy: {letter.legal_name}, NCPDP {letter.ncpdp_id}\nOur reference: letter {letter.notice_id}",
        *body,
        f"Sincerely,\n{sender[0]}",
    ]
    return "\n\n".join(parts) + "\n"
