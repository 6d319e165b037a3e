"""The plain reference rows as mapped classes; what carries logic is in the ``.sql`` files.

The database's own definitions are in ``migrations/``; a test compares the two.
"""

from datetime import date
from uuid import UUID

from sqlalchemy import Enum, ForeignKey, Identity, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text


class Base(DeclarativeBase):
    """Base of the mapped classes."""

    type_annotation_map = {str: Text, Range[date]: DATERANGE, list[str]: ARRAY(Text)}  # noqa: RUF012 (read by SQLAlchemy)


class Owner(Base):
    """The owner of a book: a member, or the house."""

    __tablename__ = "owner"
    owner_id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    kind: Mapped[str] = mapped_column(Enum("member", "house", name="owner_kind", create_constraint=False))


class Pharmacy(Base):
    """A store, whoever owns it."""

    __tablename__ = "pharmacy"
    pharmacy_id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    ncpdp_id: Mapped[str] = mapped_column(unique=True)


class Member(Base):
    """A store under one ownership and contract: the owner of a book."""

    __tablename__ = "member"
    member_id: Mapped[UUID] = mapped_column(ForeignKey("owner.owner_id"), primary_key=True)
    pharmacy_id: Mapped[int] = mapped_column(ForeignKey("pharmacy.pharmacy_id"))
    membership: Mapped[Range[date]]
    legal_name: Mapped[str]
    dba_name: Mapped[str]
    tin: Mapped[str]
    state: Mapped[str]
    payout_schedule: Mapped[str]
    payout_minimum_cents: Mapped[int] = mapped_column(server_default=text("0"))
    tin_salt: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))


class MemberIdentifier(Base):
    """An identifier that names one member on a date: NCPDP id or NPI."""

    __tablename__ = "member_identifier"
    kind: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    valid: Mapped[Range[date]] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"))
    found_by: Mapped[int | None]
    """The approval by which people found it to be the member's; None: the roster says so."""


class Contract(Base):
    """The flat monthly fee of a member, while it is in force."""

    __tablename__ = "contract"
    contract_id: Mapped[int] = mapped_column(Identity(always=True))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    in_force: Mapped[Range[date]] = mapped_column(primary_key=True)
    monthly_fee_cents: Mapped[int]
    proration: Mapped[str] = mapped_column(server_default=text("'none'"))
    remittance_form: Mapped[str] = mapped_column(server_default=text("'combined'"))


class BankAccount(Base):
    """Where a member is paid; the number is sealed, bound to this row by its id."""

    __tablename__ = "bank_account"
    bank_account_id: Mapped[UUID] = mapped_column(server_default=text("uuidv7()"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.member_id"), primary_key=True)
    in_use: Mapped[Range[date]] = mapped_column(primary_key=True)
    routing_number: Mapped[str]
    account_type: Mapped[str]
    sealed_number: Mapped[bytes] = mapped_column(LargeBinary)
    last_four: Mapped[str]


class Payer(Base):
    """A payer by the id that TRN03 carries."""

    __tablename__ = "payer"
    payer_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    ach_company_ids: Mapped[list[str]]
    aliases: Mapped[list[str]]


def bank_account_context(bank_account_id: UUID) -> bytes:
    """Give the associated data that binds a sealed account number to its row."""
    return f"bank_account:{bank_account_id}".encode()
