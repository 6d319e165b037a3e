"""A week of the demonstration: a bank, payers and people on a clock of their own, and figures that are known before."""
