"""Registers that an examiner asks for: each a list, its totals, and what the books say of them."""
