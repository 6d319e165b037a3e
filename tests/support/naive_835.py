"""A reader of generated 835s that shares nothing with ours: naive, and right for what the generator writes."""

import gzip
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path


@dataclass
class ReadSet:
    """One ST as the test's own naive reader sees it, amounts in cents."""

    segments: list[list[str]]
    payment_cents: int = 0
    trace: str = ""
    payee: str = ""
    paid_cents: int = 0
    plb_cents: int = 0
    lx_counts: list[int] = field(default_factory=list)
    lx_charges: list[int] = field(default_factory=list)
    ts3: list[tuple[int, int]] = field(default_factory=list)
    unbalanced_claims: int = 0
    unbalanced_services: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    claims_by_store: Counter[str] = field(default_factory=Counter)
    cents_by_store: Counter[str] = field(default_factory=Counter)
    plb_by_store: Counter[str] = field(default_factory=Counter)
    plb_reasons: Counter[str] = field(default_factory=Counter)


@dataclass
class ReadFile:
    """One interchange with its raw bytes."""

    raw: bytes
    component: str
    segments: list[list[str]]
    sets: list[ReadSet]


def cents_of(text: str) -> int:
    """Give an amount in cents; nothing where none stands."""
    return int(Decimal(text or "0") * 100)


def read_835(path: Path) -> ReadFile:
    """Read one interchange, compressed or not."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("ascii")
    text = text.replace("\r", "").replace("\n", "")
    element, component, terminator = text[3], text[104], text[105]
    segments = [part.split(element) for part in text.split(terminator) if part]
    starts = [at for at, segment in enumerate(segments) if segment[0] == "ST"]
    ends = [at for at, segment in enumerate(segments) if segment[0] == "SE"]
    spans = zip(starts, ends, strict=True)
    sets = [_read_set(segments[first : last + 1], component) for first, last in spans]
    return ReadFile(raw, component, segments, sets)


def _read_set(segments: list[list[str]], component: str) -> ReadSet:
    seen = ReadSet(segments)
    starts = [at for at, segment in enumerate(segments) if segment[0] in {"LX", "CLP", "PLB", "SE"}]
    _read_head(seen, segments[: starts[0]])
    ts3_store = ""
    for first, last in zip(starts, [*starts[1:], len(segments)], strict=True):
        loop = segments[first:last]
        if loop[0][0] == "LX":
            seen.lx_counts.append(0)
            seen.lx_charges.append(0)
            for each in loop[1:]:
                ts3_store = each[1]
                seen.ts3.append((int(each[4]), cents_of(each[5])))
        elif loop[0][0] == "CLP":
            _read_claim(seen, loop, ts3_store or seen.payee)
        elif loop[0][0] == "PLB":
            for reason, amount in zip(loop[0][3::2], loop[0][4::2], strict=True):
                seen.plb_cents += cents_of(amount)
                seen.plb_by_store[loop[0][1]] += cents_of(amount)
                seen.plb_reasons[reason.split(component)[0]] += 1
    return seen


def _read_head(seen: ReadSet, head: list[list[str]]) -> None:
    for segment in head:
        match segment:
            case ["BPR", *_]:
                seen.payment_cents = cents_of(segment[2])
            case ["TRN", _, trace, _]:
                seen.trace = trace
            case ["N1", "PE", _, "XX", npi]:
                seen.payee = npi
            case ["REF", "D3", ncpdp_id]:
                seen.payee = ncpdp_id
            case _:
                pass


def _read_claim(seen: ReadSet, loop: list[list[str]], store: str) -> None:
    clp, *rest = loop
    charge, paid = cents_of(clp[3]), cents_of(clp[4])
    adjusted = sum(cents_of(amount) for each in rest if each[0] == "CAS" for amount in each[3::3])
    (service,) = (each for each in rest if each[0] == "SVC")
    store = next((each[9] for each in rest if each[:2] == ["NM1", "82"]), store)
    seen.unbalanced_claims += charge - adjusted != paid
    seen.unbalanced_services += cents_of(service[2]) - adjusted != cents_of(service[3])
    seen.paid_cents += paid
    seen.statuses[clp[2]] += 1
    seen.lx_counts[-1] += 1
    seen.lx_charges[-1] += charge
    seen.claims_by_store[store] += 1
    seen.cents_by_store[store] += paid
