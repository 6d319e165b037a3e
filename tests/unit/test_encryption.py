"""Sealed values open only where they belong; master keys are found, made once, and never shown."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.encryption import (
    KEY_BYTES,
    KEY_FILE_NAME,
    Keyring,
    KeyUnusableError,
    SealBrokenError,
    UnknownKeyError,
    _place_new_key,
    id_of_key,
    load_keyring,
)
from schemas.errors import CentralpayError, WrongUseError

KEY = bytes(range(32))
OTHER_KEY = bytes(range(100, 132))
ROW = b"bank_account:0190a000-0000-7000-8000-000000000001"
ACCOUNT = b"000123456789"
REPOSITORY = Path(__file__).resolve().parents[2]


def keyring(key: bytes = KEY, *others: bytes) -> Keyring:
    """Give a keyring whose first key seals."""
    return Keyring(id_of_key(key), {id_of_key(each): each for each in (key, *others)})


def written(*keys: bytes) -> str:
    """Write keys down as people do: base64, one a line."""
    return "\n".join(base64.b64encode(key).decode() for key in keys)


def test_what_is_sealed_opens_with_the_same_row() -> None:
    """A sealed account number comes back exactly, also when it is empty or not text."""
    for plain in (ACCOUNT, b"", bytes(range(256))):
        assert keyring().open(keyring().seal(plain, ROW), ROW) == plain


def test_sealed_form_is_the_documented_one() -> None:
    """Version, length-prefixed key id, 12 bytes of nonce, ciphertext and 16 bytes of tag; nothing plain in it."""
    sealed = keyring().seal(ACCOUNT, ROW)
    key_id = id_of_key(KEY).encode()
    assert sealed.startswith(b"\x01" + bytes((len(key_id),)) + key_id)
    assert len(sealed) == 2 + len(key_id) + 12 + len(ACCOUNT) + 16
    assert ACCOUNT not in sealed


def test_equal_account_numbers_are_not_recognisable() -> None:
    """Sealing twice gives different bytes: nobody can see in the table that two members share an account."""
    assert len({keyring().seal(ACCOUNT, ROW) for _ in range(50)}) == 50


def test_a_sealed_value_does_not_open_in_another_row() -> None:
    """Copied to another row, the value is refused: a change of bank details by SQL alone does not work."""
    sealed = keyring().seal(ACCOUNT, ROW)
    with pytest.raises(SealBrokenError):
        keyring().open(sealed, ROW + b"0")


@pytest.mark.parametrize("position", range(2 + 16 + 12 + len(ACCOUNT) + 16))
def test_every_changed_byte_is_noticed(position: int) -> None:
    """Version, key id, nonce, text, tag: a flipped bit anywhere is refused by a typed error that shows no secret."""
    sealed = bytearray(keyring().seal(ACCOUNT, ROW))
    sealed[position] ^= 1
    with pytest.raises((SealBrokenError, UnknownKeyError)) as caught:
        keyring().open(bytes(sealed), ROW)
    assert ACCOUNT.decode() not in str(caught.value)


def test_every_cut_is_noticed() -> None:
    """A value that is cut short anywhere, or is empty, is refused and never an index error."""
    sealed = keyring().seal(ACCOUNT, ROW)
    for length in range(len(sealed)):
        with pytest.raises((SealBrokenError, UnknownKeyError)):
            keyring().open(sealed[:length], ROW)


def test_an_old_key_still_opens_after_the_keys_changed() -> None:
    """A new key in front seals; what the old one sealed opens as long as the old one is listed."""
    old = keyring(KEY).seal(ACCOUNT, ROW)
    both = keyring(OTHER_KEY, KEY)
    assert both.open(old, ROW) == ACCOUNT
    assert id_of_key(OTHER_KEY).encode() in both.seal(ACCOUNT, ROW)


def test_a_missing_key_is_named() -> None:
    """A value under a key that is not held names that key's id, so that people know which one to bring."""
    with pytest.raises(UnknownKeyError) as caught:
        keyring(OTHER_KEY).open(keyring(KEY).seal(ACCOUNT, ROW), ROW)
    assert caught.value.key_id == id_of_key(KEY)
    assert isinstance(caught.value, CentralpayError)


def test_another_key_under_the_same_id_is_refused() -> None:
    """An id alone opens nothing."""
    sealed = Keyring("main", {"main": KEY}).seal(ACCOUNT, ROW)
    with pytest.raises(SealBrokenError) as caught:
        Keyring("main", {"main": OTHER_KEY}).open(sealed, ROW)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("current", "keys"),
    [
        ("a", {"b": KEY}),
        ("a", {"a": KEY[:31]}),
        ("a", {"a": KEY + b"0"}),
        ("", {"": KEY}),
        ("é", {"é": KEY}),
        ("x" * 256, {"x" * 256: KEY}),
    ],
)
def test_a_keyring_without_a_usable_current_key_cannot_be(current: str, keys: dict[str, bytes]) -> None:
    """Wrong sizes and a current id without a key are refused when the keyring is built."""
    with pytest.raises(ValueError, match="key"):
        Keyring(current, keys)


def test_a_keyring_cannot_be_changed_and_does_not_show_its_keys() -> None:
    """Neither the mapping it was built from nor its own can change it; its repr holds ids only."""
    given = {"main": KEY}
    ring = Keyring("main", given)
    given["main"] = OTHER_KEY
    assert ring.keys["main"] == KEY
    with pytest.raises(TypeError):
        ring.keys["main"] = OTHER_KEY  # type: ignore[index]  # what must not work
    assert repr(KEY) not in repr(ring)
    assert "main" in repr(ring)


def test_the_environment_comes_first(tmp_path: Path) -> None:
    """A key from the environment wins over a file, and nothing is made at home."""
    file = tmp_path / "file.key"
    file.write_text(written(OTHER_KEY))
    ring = load_keyring(environment_key=written(KEY), key_file=file, home_keys=tmp_path / "keys")
    assert dict(ring.keys) == {id_of_key(KEY): KEY}
    assert not ring.made
    assert not (tmp_path / "keys").exists()


def test_a_file_of_several_keys_seals_with_the_first(tmp_path: Path) -> None:
    """Keys are parted by lines, blanks or commas; the first is the current one."""
    file = tmp_path / "file.key"
    file.write_text(written(OTHER_KEY) + " ,\n" + written(KEY) + "\n")
    ring = load_keyring(environment_key=None, key_file=file, home_keys=tmp_path / "keys")
    assert ring.current_key_id == id_of_key(OTHER_KEY)
    assert set(ring.keys) == {id_of_key(KEY), id_of_key(OTHER_KEY)}


def test_url_safe_base64_is_read_too(tmp_path: Path) -> None:
    """Both alphabets of RFC 4648 give the same key."""
    key = bytes([0xFB, 0xEF, 0xFF]) * 10 + b"ab"
    text = base64.urlsafe_b64encode(key).decode()
    assert "-" in text
    ring = load_keyring(environment_key=text, key_file=None, home_keys=tmp_path)
    assert ring.keys[ring.current_key_id] == key


@pytest.mark.parametrize("text", ["", " \n", "not base64 at all!", "short", written(KEY[:31]), written(KEY) + "é"])
def test_text_that_is_no_key_is_refused_without_showing_it(text: str, tmp_path: Path) -> None:
    """A set but empty or malformed key is wrong use: a new key must not silently take its place."""
    with pytest.raises(KeyUnusableError) as caught:
        load_keyring(environment_key=text, key_file=None, home_keys=tmp_path / "keys")
    assert isinstance(caught.value, WrongUseError)
    assert not text.strip() or text not in str(caught.value)
    assert not (tmp_path / "keys").exists()


def test_too_many_keys_are_refused(tmp_path: Path) -> None:
    """There is a limit, so that a wrong file does not end in a keyring of thousands."""
    with pytest.raises(KeyUnusableError, match="100 keys"):
        load_keyring(environment_key=written(*[KEY] * 101), key_file=None, home_keys=tmp_path)


def test_a_missing_key_file_is_never_made(tmp_path: Path) -> None:
    """A mistyped path is refused; making a key there would lock everything that the right one sealed."""
    with pytest.raises(KeyUnusableError, match=r"absent\.key"):
        load_keyring(environment_key=None, key_file=tmp_path / "absent.key", home_keys=tmp_path / "keys")
    assert list(tmp_path.iterdir()) == []


def test_the_home_key_is_made_once_with_closed_permissions(tmp_path: Path) -> None:
    """The first start makes a key and says so; the second finds the same. Folder 0700, file 0600, nothing else left."""
    home_keys = tmp_path / "home" / "keys"
    old_mask = os.umask(0)
    try:
        first = load_keyring(environment_key=None, key_file=None, home_keys=home_keys)
    finally:
        os.umask(old_mask)
    second = load_keyring(environment_key=None, key_file=None, home_keys=home_keys)
    assert (first.made, second.made) == (True, False)
    assert dict(first.keys) == dict(second.keys)
    assert len(first.keys[first.current_key_id]) == KEY_BYTES
    assert home_keys.stat().st_mode & 0o777 == 0o700
    assert [(path.name, path.stat().st_mode & 0o777) for path in home_keys.iterdir()] == [(KEY_FILE_NAME, 0o600)]


def test_a_loose_folder_is_closed_again(tmp_path: Path) -> None:
    """A keys folder that came back from a backup as 0755 is 0700 after the start."""
    home_keys = tmp_path / "keys"
    home_keys.mkdir(mode=0o755)
    home_keys.chmod(0o755)
    load_keyring(environment_key=None, key_file=None, home_keys=home_keys)
    assert home_keys.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_home_key_open_to_others_is_refused(mode: int, tmp_path: Path) -> None:
    """Whoever could read the key may have it: people decide, the system does not go on silently."""
    load_keyring(environment_key=None, key_file=None, home_keys=tmp_path)
    (tmp_path / KEY_FILE_NAME).chmod(mode)
    with pytest.raises(KeyUnusableError, match="chmod 600"):
        load_keyring(environment_key=None, key_file=None, home_keys=tmp_path)


def test_a_damaged_home_key_is_not_replaced(tmp_path: Path) -> None:
    """An emptied key file is refused, and stays as it is for people to look at."""
    load_keyring(environment_key=None, key_file=None, home_keys=tmp_path)
    (tmp_path / KEY_FILE_NAME).write_bytes(b"")
    with pytest.raises(KeyUnusableError, match="empty"):
        load_keyring(environment_key=None, key_file=None, home_keys=tmp_path)
    assert (tmp_path / KEY_FILE_NAME).read_bytes() == b""


def test_a_home_that_cannot_be_written_is_said_in_a_sentence(tmp_path: Path) -> None:
    """A file where the folder should be is a refusal with the place, not a traceback."""
    (tmp_path / "keys").write_text("in the way")
    with pytest.raises(KeyUnusableError, match=r"master\.key"):
        load_keyring(environment_key=None, key_file=None, home_keys=tmp_path / "keys")


def test_the_loser_of_a_race_leaves_the_winners_key(tmp_path: Path) -> None:
    """A key that appears between looking and writing stays: what it sealed already must open."""
    path = tmp_path / KEY_FILE_NAME
    assert _place_new_key(path)
    winners = path.read_bytes()
    assert not _place_new_key(path)
    assert path.read_bytes() == winners
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_start_together_get_the_same_key(tmp_path: Path) -> None:
    """Six processes race for the first key: one makes it, all use it."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom ingest.encryption import load_keyring\nsys.stdin.readline()\n"
        "ring = load_keyring(environment_key=None, key_file=None, home_keys=Path(sys.argv[1]))\n"
        "print(ring.current_key_id, ring.made)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "keys")]
    pipe = subprocess.PIPE
    starters = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=REPOSITORY) for _ in range(6)]
    answers = []
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.write("go\n")
        starter.stdin.flush()
    for starter in starters:
        answers.append(starter.communicate(timeout=60)[0].split())
        assert starter.returncode == 0
    assert len({key_id for key_id, _ in answers}) == 1
    assert sorted(made for _, made in answers) == ["False"] * 5 + ["True"]
