"""Copies of what a payer pays a store directly: remittances whose payee is the store itself."""

from dataclasses import replace
from datetime import date

from app.demo.pharmacies import Pharmacy
from app.demo.remittance import Payee, Payer, RemittanceSet
from tests.support.trade import PAYER, A, Part, remittance


def to_the_store(trace: str, day: date, *parts: Part, store: Pharmacy = A, payer: Payer = PAYER) -> RemittanceSet:
    """Lay out a set whose payee (N1*PE) is the store itself."""
    payee = Payee(store.dba_name.upper(), "XX", store.npi)
    return replace(remittance(trace, day, *parts, payer=payer), payee=payee)
