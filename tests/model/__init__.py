"""The oracle: what the ledger should do, in plain Python that keeps everything in memory and hurries nowhere.

It is written from the rules of posting alone and shares no code with the ledger, so that the two can be compared.
"""
