"""The vault: where every file that was received or sent is kept, sealed, under the SHA-256 of its content."""

from ingest.vault.folder import VaultUnusableError
from ingest.vault.sealed_header import VaultDamagedError
from ingest.vault.store import NotInVaultError, StoredFile, Vault

__all__ = ["NotInVaultError", "StoredFile", "Vault", "VaultDamagedError", "VaultUnusableError"]
