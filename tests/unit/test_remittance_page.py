"""``docs/remittances.md`` against the code: every rule that an 835 can break, its weight, how it is acknowledged."""

import re

from ingest.x12.ack_codes import GROUP_CODES, GUIDE_BROKEN, INTERCHANGE_CODES, SET_CODES
from schemas.findings import Severity
from tests.support.rules import COLLECTING, MISFITS, READER, RECEIVING, ROOT, rules_of

_ROW = re.compile(r"\| `([a-z_]+)` \| ([a-z, ]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_PAGE = (ROOT / "docs" / "remittances.md").read_text()
_OF_OTHER_FILES = {"kind_expected", "kind_is_read"}
"""What receiving says of files that are no 835."""


def _written() -> dict[str, tuple[set[str], str]]:
    """Give what the page says of each rule: its weights and the code it is acknowledged by; each stands there once."""
    rows = [_ROW.fullmatch(line) for line in _PAGE.splitlines() if line.startswith("| `")]
    assert all(rows)
    found = [row for row in rows if row is not None]
    assert len({row[1] for row in found}) == len(found)
    return {row[1]: (set(row[2].split(", ")), row[3]) for row in found}


def test_the_page_names_every_rule_and_no_other() -> None:
    """A rule that is new, renamed or gone fails here until the page says so."""
    known = set(rules_of(*READER, COLLECTING, MISFITS, RECEIVING)) - _OF_OTHER_FILES
    assert set(_written()) == known


def test_the_page_gives_each_rule_its_weight() -> None:
    """A rule that only ever refuses, or only ever warns, is said to do so; none is given a weight it can not have."""
    weights = rules_of(*READER, COLLECTING, MISFITS, RECEIVING)
    for rule, (written, _) in _written().items():
        assert written, rule
        assert {Severity(each) for each in written} <= weights[rule], rule


def test_the_page_gives_each_rule_its_code() -> None:
    """How a finding is acknowledged is what the tables of the acknowledgement say."""
    told = {rule: f"TA105 {code}" for rule, code in INTERCHANGE_CODES.items()}
    told |= {rule: f"AK905 {code}" for rule, code in GROUP_CODES.items()}
    told |= dict.fromkeys(rules_of(MISFITS), f"IK502 {GUIDE_BROKEN}")
    for rule, codes in SET_CODES.items():
        name, code = next(
            (name, code)
            for name, code in (("IK403", codes.element), ("IK304", codes.segment), ("IK502", codes.whole))
            if code
        )
        told[rule] = f"{name} {code}"
    for rule, (_, code) in _written().items():
        assert code == told.get(rule, "none"), rule
