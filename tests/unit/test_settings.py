"""Settings come from the environment, are checked at once, and never show a secret."""

import base64
import stat
from pathlib import Path

import pytest

from app.settings import Settings
from ingest.encryption import KeyUnusableError
from schemas.errors import WrongUseError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder of this test's own, with no setting at all."""
    monkeypatch.delenv("CENTRALPAY_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "var"


def test_without_any_variable_the_demonstration_runs(home: Path) -> None:
    """Everything has a default; the home is ``./var``, made absolute so that no later chdir moves it."""
    settings = Settings.from_environment()
    assert settings.home == home
    assert (settings.postgres_dir, settings.keys_dir) == (home / "postgres", home / "keys")
    assert (settings.vault_dir, settings.out_dir) == (home / "vault", home / "out")
    assert settings.inbox_dir == home / "inbox"
    assert settings.entry_description == "HCCLAIMPMT"
    assert settings.database_url is None
    assert settings.user is None
    assert len(settings.company_name) <= 16


def test_variables_set_what_they_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each field is CENTRALPAY_ and its name in capitals; an empty variable counts as none."""
    for name, value in {
        "HOME": str(tmp_path / "elsewhere"),
        "DATABASE_URL": "postgresql://h/d",
        "USER": "ann.smith@psao.example",
        "ODFI_ROUTING": "021000021",
        "COMPANY_ID": "1123456789",
        "COMPANY_NAME": "OUR PSAO",
        "BANK_ACCOUNT": "",
    }.items():
        monkeypatch.setenv(f"CENTRALPAY_{name}", value)
    settings = Settings.from_environment()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://h/d"
    assert (settings.home, settings.user) == (tmp_path / "elsewhere", "ann.smith@psao.example")
    assert (settings.odfi_routing, settings.company_id, settings.company_name) == (
        "021000021",
        "1123456789",
        "OUR PSAO",
    )
    assert settings.bank_account.get_secret_value() == "000123456789"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ODFI_ROUTING", "021000022"),
        ("COMPANY_ID", "12345"),
        ("COMPANY_NAME", "SEVENTEEN LETTERS"),
        ("COMPANY_NAME", "CAFÉ"),
        ("ENTRY_DESCRIPTION", "ELEVEN CHAR"),
        ("BANK_ACCOUNT", "123456789012345678"),
        ("USER", "ann smith"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The sentence tells which variable and what it must be."""
    monkeypatch.setenv(f"CENTRALPAY_{name}", value)
    with pytest.raises(WrongUseError, match=f"CENTRALPAY_{name}: "):
        Settings.from_environment()


def test_all_wrong_values_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to start three times to find three mistakes."""
    monkeypatch.setenv("CENTRALPAY_COMPANY_ID", "x")
    monkeypatch.setenv("CENTRALPAY_ENTRY_DESCRIPTION", "ELEVEN CHAR")
    with pytest.raises(WrongUseError, match=r"COMPANY_ID.*ENTRY_DESCRIPTION"):
        Settings.from_environment()


def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings' own text nor the error about a wrong secret holds it."""
    monkeypatch.setenv("CENTRALPAY_DATABASE_URL", "postgresql://ann:swordfish@h/d")
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY", "swordfish")
    assert "swordfish" not in repr(Settings.from_environment())
    monkeypatch.setenv("CENTRALPAY_BANK_ACCOUNT", "swordfish swordfish")
    with pytest.raises(WrongUseError) as caught:
        Settings.from_environment()
    assert "swordfish" not in str(caught.value)


def test_settings_do_not_change() -> None:
    """What was checked stays."""
    with pytest.raises(ValueError, match="frozen"):
        setattr(Settings(), "home", Path("/"))  # noqa: B010 (mypy refuses the plain assignment, which is the point)


def test_the_master_key_comes_from_the_environment_or_its_file_or_the_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    """One sealed value opens with the same key from either place; with neither, the home keeps one, made once."""
    text = base64.b64encode(bytes(range(32))).decode()
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY", text)
    sealed = Settings.from_environment().keyring().seal(b"value", b"row")
    monkeypatch.delenv("CENTRALPAY_MASTER_KEY")
    file = tmp_path / "key"
    file.write_text(text + "\n", encoding="ascii")
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY_FILE", str(file))
    assert Settings.from_environment().keyring().open(sealed, b"row") == b"value"
    assert not home.exists()
    monkeypatch.delenv("CENTRALPAY_MASTER_KEY_FILE")
    made = Settings.from_environment().keyring()
    assert made.made
    assert Settings.from_environment().keyring().current_key_id == made.current_key_id


def test_two_sources_of_the_master_key_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of them seals would be a guess."""
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY", "x")
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY_FILE", "/x")
    with pytest.raises(WrongUseError, match="not both"):
        Settings.from_environment()


def test_a_malformed_master_key_is_told_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of the wrong size is refused when it is first asked for."""
    monkeypatch.setenv("CENTRALPAY_MASTER_KEY", "c3dvcmRmaXNo")
    with pytest.raises(KeyUnusableError) as caught:
        Settings.from_environment().keyring()
    assert "c3dvcmRmaXNo" not in str(caught.value)


def test_the_folders_are_private_and_the_keys_are_made_so_again(home: Path) -> None:
    """A key folder that somebody opened is closed at the next start."""
    settings = Settings.from_environment()
    settings.make_folders()
    settings.keys_dir.chmod(0o755)
    settings.make_folders()
    folders = [settings.keys_dir, settings.vault_dir, settings.out_dir]
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in folders] == [0o700] * 3
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_home_that_is_no_folder_is_told(home: Path) -> None:
    """The sentence names the variable and the place."""
    home.write_text("a file", encoding="ascii")
    with pytest.raises(WrongUseError, match=f"CENTRALPAY_HOME: {home}"):
        Settings.from_environment().make_folders()


ADDRESS = {
    "COMPANY_STREET": "1 MAIN ST",
    "COMPANY_CITY": "FARGO",
    "COMPANY_STATE": "ND",
    "COMPANY_POSTAL_CODE": "58102",
    "COMPANY_TELEPHONE": "7015550100",
}


def test_the_companys_address_is_told_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of its parts is fine and so are all; what is missing of the rest is named."""
    assert Settings.from_environment().office is None
    for name, value in ADDRESS.items():
        monkeypatch.setenv(f"CENTRALPAY_{name}", value)
    office = Settings.from_environment().office
    assert office is not None
    assert (office.street, office.postal_code) == ("1 MAIN ST", "58102")
    monkeypatch.delenv("CENTRALPAY_COMPANY_CITY")
    with pytest.raises(WrongUseError, match="missing: CENTRALPAY_COMPANY_CITY"):
        Settings.from_environment()
