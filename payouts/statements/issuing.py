"""Issued statements keep their bytes."""

from io import BytesIO

from sqlalchemy import Connection

from ingest.vault import Vault
from ledger import activity
from payouts.statements.model import Statement


def issue(connection: Connection, vault: Vault, made: Statement, content: bytes, actor: str) -> str:
    """Keep an issued statement's bytes as they are, whatever is posted later; give their SHA-256."""
    name = f"statement {made.ncpdp_id} {made.from_date} {made.to_date}"
    sha256 = vault.store(BytesIO(content), name, unpack=False).sha256
    facts = {"from": made.from_date.isoformat(), "to": made.to_date.isoformat(), "sha256": sha256}
    activity.record(connection, actor, "statement_issued", made.ncpdp_id, **facts)
    return sha256
