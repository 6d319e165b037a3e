"""X12 835 remittance advices: syntax, meaning, balancing."""
