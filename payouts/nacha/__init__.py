"""NACHA files: credits to pharmacies written for the bank (``writer``), any file read back and checked (``reader``).

Source: Nacha Operating Rules, Appendix Three (ACH record format specifications); for the remittance addenda, the CCD
healthcare EFT standard (45 CFR 162.1602) and ASC X12 005010X221, segment TRN.
"""
