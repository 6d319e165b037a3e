"""The double-entry core: chart, posting, balances, periods, proofs."""
