"""Money out: fees, calendar, cycles, approvals, NACHA, statements."""
