"""Files in: bytes to vault, vault to typed records, records to quarantine or to advices, deposits and the ledger."""
