"""What an installation can decide: environment variables named ``CENTRALPAY_...``, read once, checked at once."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from ingest.encryption import Keyring, load_keyring
from ingest.vault.expiry import LEAST_RETENTION_YEARS, RETENTION_YEARS
from ledger.seal.keys import KEY_FILE_NAME, SealKeys
from ledger.seal.published import Published
from payouts.accounts.changes import COOLING_DAYS
from payouts.ach.payout_file import FileForm
from payouts.children.model import Office
from payouts.fees.invoices import INVOICE_AFTER_DAYS, PAYABLE_IN_DAYS
from payouts.nacha.codes import LineEnd
from payouts.nacha.leniency import Leniency
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


def _listed(value: object) -> object:
    """Split a list that is written in one variable, commas between."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _variable(location: tuple[int | str, ...]) -> str:
    # The place within a list is no variable of its own.
    return PREFIX + "_".join(part for part in location if isinstance(part, str)).upper()


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
    inbox: AbsolutePath | None = None
    """Folder that the scheduler takes files from; ``inbox`` within the home when None."""
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
    company_full_name: Annotated[str, _shaped("[ -~]{1,60}", "1 to 60 printable ASCII characters")] | None = None
    """Name at the head of statements, notices and invoices; ``company_name`` when nothing is said."""
    company_street: Annotated[str, _shaped("[ -~]{1,55}", "1 to 55 printable ASCII characters")] | None = None
    """Where we are, and below whom to ask: 835s of our own name it as the payer's address. All five, or none."""
    company_city: Annotated[str, _shaped("[ -~]{2,30}", "2 to 30 printable ASCII characters")] | None = None
    company_state: Annotated[str, _shaped("[A-Z]{2}", "two capital letters")] | None = None
    company_postal_code: Annotated[str, _shaped("[0-9]{5}([0-9]{4})?", "5 or 9 digits")] | None = None
    company_telephone: Annotated[str, _shaped("[0-9]{10}", "10 digits")] | None = None
    bank_account: Annotated[SecretStr, _shaped("[A-Za-z0-9-]{1,17}", "1 to 17 letters, digits and dashes")] = SecretStr(
        "000123456789"
    )
    """Number of the custodial account that pays."""
    entry_description: Annotated[str, _shaped("[ -~]{1,10}", "1 to 10 printable ASCII characters")] = "HCCLAIMPMT"
    """Company entry description; ``HCCLAIMPMT`` marks a health care claim payment (NACHA, CCD with addenda)."""

    bank_details_cooling_days: Annotated[int, Field(ge=0, le=60)] = COOLING_DAYS
    """Banking days between the call-back for other bank details of a member and the first payment into them."""
    new_accounts_wait: bool = False
    """Whether a new member's first bank account is called back, approved, cooled and tried like every later one."""

    fee_invoice_after_days: Annotated[int, Field(ge=0, le=3650)] = INVOICE_AFTER_DAYS
    """Days that a month of fee is open, counted from its first, before a member without a balance is invoiced."""
    fee_invoice_payable_days: Annotated[int, Field(ge=0, le=365)] = PAYABLE_IN_DAYS
    """Days from such an invoice to the day by which it is to be paid."""

    bank_leniencies: Annotated[frozenset[Leniency], NoDecode, BeforeValidator(_listed)] = frozenset()
    """What our bank does otherwise in the NACHA files that it sends, names with commas between: ``trace_order,...``."""
    ach_line_end: LineEnd = LineEnd.LF
    """What ends the lines of the NACHA files that we send: ``lf`` or ``crlf``, as the bank wants it."""
    ach_balanced: bool = False
    """Whether the bank wants balanced NACHA files: each with an entry of its total to ``bank_account``."""

    seal_name: Annotated[str, _shaped(r"[^\s+]{1,100}", "1 to 100 characters without blanks and plus")] | None = None
    """Origin of the seal's checkpoints and name of a signing key that is made (C2SP); ``origin`` when None."""
    seal_key_file: AbsolutePath | None = None
    """File of the key that signs checkpoints, for secret stores; ``seal.key`` among the keys when None."""
    checkpoints_dir: AbsolutePath | None = None
    """Folder of the published checkpoints, best on another machine; ``checkpoints`` within the home when None."""

    retention_years: Annotated[int, Field(ge=LEAST_RETENTION_YEARS)] = RETENTION_YEARS
    """Years that received files are kept; the default is what Medicare Part D asks (42 CFR 423.505(d))."""

    log: Literal["json", "text"] | None = None
    """How the log is written; with it, every command says there when it begins and ends. Read by ``app.logs``."""
    log_file: AbsolutePath | None = None
    """File that takes the log in place of standard error; the same."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and the environment, and look nowhere else."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

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
        missing = [name for name, value in settings._address().items() if value is None]
        if 0 < len(missing) < len(settings._address()):
            raise WrongUseError(f"Set all of the company's address or nothing of it; missing: {', '.join(missing)}.")
        return settings

    @property
    def file_form(self) -> FileForm:
        """How the bank wants the NACHA files that we send."""
        account = self.bank_account.get_secret_value() if self.ach_balanced else None
        return FileForm(line_end=self.ach_line_end, offset_account=account)

    @property
    def office(self) -> Office | None:
        """Where the company is, or None when nothing is said of it."""
        street, city, state, postal_code, telephone = self._address().values()
        if street is None or city is None or state is None or postal_code is None or telephone is None:
            return None
        return Office(street=street, city=city, state=state, postal_code=postal_code, telephone=telephone)

    def _address(self) -> dict[str, str | None]:
        names = ("company_street", "company_city", "company_state", "company_postal_code", "company_telephone")
        return {_variable((name,)): getattr(self, name) for name in names}

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
    def inbox_dir(self) -> Path:
        """Folder where others leave files for us."""
        return self.inbox or self.home / "inbox"

    @property
    def keys_dir(self) -> Path:
        """Folder of the keys; nobody but its owner may even look into it."""
        return self.home / "keys"

    @property
    def origin(self) -> str:
        """Name of the seal: that of a signing key that is made."""
        return self.seal_name or f"centralpay/{self.company_id}"

    @property
    def seal_keys(self) -> SealKeys:
        """Where the key is that signs checkpoints."""
        path = self.seal_key_file or self.keys_dir / KEY_FILE_NAME
        return SealKeys(path, self.origin, is_ours=self.seal_key_file is None)

    @property
    def closed_dir(self) -> Path:
        """Folder of the packages of closed months."""
        return self.home / "closed"

    @property
    def checkpoints_folder(self) -> Path:
        """Folder of the published checkpoints."""
        return self.checkpoints_dir or self.home / "checkpoints"

    @property
    def published(self) -> Published:
        """The published checkpoints; a folder that a setting names is never made, for it may not be mounted."""
        return Published(self.checkpoints_folder, is_ours=self.checkpoints_dir is None)

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
