"""What an installation can decide: environment variables named ``CENTRALPAY_...``, read once, checked at once."""

import re
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingest.encryption import Keyring, load_keyring
from schemas.errors import WrongUseError
from schemas.identifiers import AbaRouting, PayerId

PREFIX = "CENTRALPAY_"


_Text = TypeVar("_Text", str, SecretStr)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _shaped(pattern: str, shape: str) -> AfterValidator:
    """Check text, or a secret, and say in words what it must be; never show what it is."""
    wanted = re.compile(pattern, re.ASCII)

    def check(value: _Text) -> _Text:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if wanted.fullmatch(text) is None:
            raise ValueError(f"must be {shape}")
        return value

    return AfterValidator(check)


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + "_".join(str(part) for part in location).upper()


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
UserName = Annotated[str, _shaped(r"\w[\w.@-]{0,63}", "a user's name: up to 64 letters, digits and . _ @ -")]


class Settings(BaseSettings):
    """The settings of an installation; the defaults run the demonstration.

    The bank's and the company's details follow the NACHA file format: company name 16 characters, company entry
    description 10, company identification 10 (NACHA Operating Rules, Appendix Three).
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    home: AbsolutePath = Field(default=Path("var"), validate_default=True)
    """Folder of everything that the installation keeps; the embedded database lives in it."""
    database_url: SecretStr | None = None
    """Another PostgreSQL 18 in place of the embedded one, such as ``postgresql://user:password@host/database``."""
    user: UserName | None = None
    """Who acts, when the command does not say."""
    master_key: SecretStr | None = None
    """Key that seals the vault's keys and the bank account numbers: 32 bytes in base64; ``ingest.encryption``."""
    master_key_file: AbsolutePath | None = None
    """File that holds ``master_key``, for secret stores that mount files."""
    odfi_routing: AbaRouting = AbaRouting("091000019")
    """Routing number of the bank that sends our payments (originating depository institution)."""
    company_id: PayerId = PayerId("1999999999")
    """Company identification in our payments and originator in their TRN: 1 and the EIN."""
    company_name: Annotated[str, _shaped("[ -~]{1,16}", "1 to 16 printable ASCII characters")] = "CENTRALPAY DEMO"
    """Company name in our payments; what a pharmacy sees on its bank statement."""
    bank_account: Annotated[SecretStr, _shaped("[A-Za-z0-9-]{1,17}", "1 to 17 letters, digits and dashes")] = SecretStr(
        "000123456789"
    )
    """Number of the custodial account that pays."""
    entry_description: Annotated[str, _shaped("[ -~]{1,10}", "1 to 10 printable ASCII characters")] = "HCCLAIMPMT"
    """Company entry description; ``HCCLAIMPMT`` marks a health care claim payment (NACHA, CCD with addenda)."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings from the environment.

        Raises:
            WrongUseError: a value is wrong; names each variable and what is wrong with it, never a secret's value.
        """
        try:
            settings = cls()
        except ValidationError as error:
            wrongs = error.errors(include_url=False, include_context=False, include_input=False)
            said = [f"{_variable(wrong['loc'])}: {wrong['msg'].removeprefix('Value error, ')}" for wrong in wrongs]
            raise WrongUseError("Wrong setting. " + "; ".join(said)) from None
        if settings.master_key is not None and settings.master_key_file is not None:
            raise WrongUseError(f"Set {PREFIX}MASTER_KEY or {PREFIX}MASTER_KEY_FILE, not both.")
        return settings

    def keyring(self) -> Keyring:
        """Take the master keys from the environment, the file it names, or the home folder, where one is made at need.

        Raises:
            KeyUnusableError: a key is malformed, missing, or open to other users.
        """
        text = None if self.master_key is None else self.master_key.get_secret_value()
        return load_keyring(environment_key=text, key_file=self.master_key_file, home_keys=self.keys_dir)

    @property
    def postgres_dir(self) -> Path:
        """Data folder of the embedded database."""
        return self.home / "postgres"

    @property
    def vault_dir(self) -> Path:
        """Folder of the received bytes, encrypted."""
        return self.home / "vault"

    @property
    def out_dir(self) -> Path:
        """Folder of what leaves: payment files, remittances, statements."""
        return self.home / "out"

    @property
    def keys_dir(self) -> Path:
        """Folder of the keys; nobody but its owner may even look into it."""
        return self.home / "keys"

    def make_folders(self) -> None:
        """Make the folders that are not there; all are private, the keys' is made so at every start.

        Raises:
            WrongUseError: the home is no place where we may write.
        """
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (self.vault_dir, self.out_dir, self.keys_dir):
                folder.mkdir(exist_ok=True, mode=0o700)
            self.keys_dir.chmod(0o700)
        except OSError as error:
            said = error.strerror or "it cannot be used"
            raise WrongUseError(f"{PREFIX}HOME: {error.filename or self.home}: {said}") from error
