"""The bank's file of received items: the payments that came in by ACH, as CCD+ entries with their TRN addenda.

Source of the columns: Nacha Operating Rules, Appendix Three.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby

from app.demo.payers import bank_name
from app.demo.simulator.movements import Incoming
from payouts.nacha.codes import BLOCKING_FACTOR, FILLER, HASH_MODULUS, HEALTH_CARE_PAYMENT, ServiceClass

_OWN_BANK = "071000013"
"""Routing number of the simulated bank, where the payments are received."""


def write_received(incoming: Sequence[Incoming], day: date, account: str) -> bytes:
    """Write the payments of a day as the entries that brought them, a batch for each payer.

    Args:
        incoming: at least one.
        day: of settlement.
        account: number of the account that received them.
    """
    lines = [f"101 {_OWN_BANK} {_OWN_BANK}{day:%y%m%d}0500R094101{'CUSTOMER':23}{'SIMULATED BANK':23}{'RECEIVED':8}"]
    ordered = sorted(incoming, key=lambda each: (each.payer.payer_id, each.trace_number))
    total_cents = total_count = total_hash = batches = 0
    for number, (_, group) in enumerate(groupby(ordered, key=lambda each: each.payer.payer_id), 1):
        batch, batches = list(group), number
        cents, count = sum(each.amount_cents for each in batch), 2 * len(batch)
        entry_hash = len(batch) * int(_OWN_BANK[:8]) % HASH_MODULUS
        lines.extend(_batch(batch, day, account, f"{number:07d}"))
        total_cents, total_count, total_hash = total_cents + cents, total_count + count, total_hash + entry_hash
    records = len(lines) + 1
    lines.append(
        f"9{batches:06d}{-(-records // BLOCKING_FACTOR):06d}{total_count:08d}{total_hash % HASH_MODULUS:010d}"
        f"{0:012d}{total_cents:012d}{'':39}"
    )
    lines.extend([FILLER] * (-records % BLOCKING_FACTOR))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _batch(batch: Sequence[Incoming], day: date, account: str, number: str) -> Iterator[str]:
    payer, end = batch[0].payer, f"{batch[0].payer.routing[:8]}{number}"
    company, days = f"{bank_name(payer):16}{'':20}{payer.payer_id:10}", f"{day:%y%m%d}{day:%y%m%d}{day:%j}"
    yield f"5{ServiceClass.CREDITS}{company}CCD{HEALTH_CARE_PAYMENT:10}{days}1{end}"
    for each in batch:
        receiver = f"{'':15}{'PSAO CUSTODIAL':22}  1"
        yield f"622{_OWN_BANK}{account:17}{each.amount_cents:010d}{receiver}{each.trace_number}"
        yield f"705{each.addenda:80}0001{each.trace_number[-7:]}"
    cents, entry_hash = sum(each.amount_cents for each in batch), len(batch) * int(_OWN_BANK[:8]) % HASH_MODULUS
    sums = f"{2 * len(batch):06d}{entry_hash:010d}{0:012d}{cents:012d}"
    yield f"8{ServiceClass.CREDITS}{sums}{payer.payer_id:10}{'':25}{end}"
