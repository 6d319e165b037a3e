"""``centralpay demo``: one generated day, from its files to the proofs, in a home of its own."""

import json
from pathlib import Path

import pytest

from app.demo.home import own_settings
from tests.support.command import Shell


def test_a_day_leaves_its_files_and_proves_itself(quick_path: Path) -> None:
    """Twelve pharmacies, 300 claims: all proofs hold; NACHA file, notices, 835s, statements and figures are there."""
    shell = Shell(quick_path, "postgresql://nobody@nowhere.invalid/none")
    ended = shell.process(("demo", "--pharmacies", "12", "--claims", "300", "--json"), user=None)
    assert ended.code == 0, ended.err
    document = ended.document
    assert document["claims"] == 300
    assert len(document["proofs"]) == 11
    assert all(each["holds"] for each in document["proofs"])
    out = quick_path / "demo" / "out"
    released = json.loads((out / "release.json").read_text())
    assert (out / Path(released["nacha_file"]).name).is_file()
    assert len(list((out / "notices").glob("*.pdf"))) == released["payouts"] > 0
    assert any((out / "835").iterdir())
    statements = {path.suffix for path in (out / "statements").iterdir()}
    assert statements >= {".csv", ".json"}


def test_a_demonstration_leaves_nothing_where_the_real_books_publish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the settings name outside of the home is another one's: keys, inbox, and the folder of checkpoints.

    A demonstration once published its checkpoints into the folder of the real books, which then could not be sealed.
    """
    names = ("master.key", "seal.key", "inbox", "checkpoints")
    real = {name: tmp_path / "real" / name for name in names}
    monkeypatch.setenv("CENTRALPAY_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CENTRALPAY_DATABASE_URL", "postgresql://nobody@nowhere.invalid/none")
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY_FILE", str(real["master.key"]))
    monkeypatch.setenv("CENTRALPAY_SEAL_KEY_FILE", str(real["seal.key"]))
    monkeypatch.setenv("CENTRALPAY_INBOX", str(real["inbox"]))
    monkeypatch.setenv("CENTRALPAY_CHECKPOINTS_DIR", str(real["checkpoints"]))
    own = own_settings()
    demo = tmp_path / "home" / "demo"
    assert (own.home, own.database_url, own.master_key_file) == (demo, None, None)
    assert {own.seal_keys.path.parent, own.keys_dir} == {demo / "keys"}
    assert own.inbox_dir == demo / "inbox"
    assert own.published.folder == own.checkpoints_folder == demo / "checkpoints"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--pharmacies", "9"), "at least 10 pharmacies"),
        (("--pharmacies", "0"), "at least 10 pharmacies, not 0"),
        (("--claims", "119"), "at least 120 claims"),
        (("--payers", "0"), "at least one payer"),
        (("--date", "2026-11-21"), "Saturday 2026-11-21 is no banking day"),
        (("--date", "9999-12-31"), "The banking calendar covers 1999 to 2099"),
        (("--date", "2049-12-31"), "begins in the years 2001 to 2048"),
        (("--days", "2", "--date", "2000-01-03"), "begins in the years 2001 to 2048"),
    ],
    ids=[
        *("too few pharmacies", "no pharmacy", "too few claims", "no payer", "a Saturday"),
        *("no year of the calendar", "no periods after", "no periods before"),
    ],
)
def test_a_day_that_can_not_be_is_wrong_use(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Too small, or no banking day: a sentence, exit code 2, and the last demonstration stays."""
    kept = tmp_path / "demo" / "kept"
    kept.parent.mkdir()
    kept.touch()
    ended = Shell(tmp_path, "").run(("demo", *words), user=None)
    assert ended.code == 2
    assert said in ended.err
    assert kept.exists()
