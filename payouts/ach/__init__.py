"""What is sent to the bank as ACH files: payments, prenotes and reversals, written down by trace number."""
