"""Child remittances: the one 835 that a payer sends for many pharmacies, told again to each of them, to the cent.

``composing`` decides what the sets of a member's remittance say, ``writer`` writes them, ``telling`` reads them back.
No SQL here: what a child tells comes from the books and the vault by way of the caller.

Source: ASC X12 005010X221A1, Health Care Claim Payment/Advice (835).
"""
