"""The store that an LX begins: its identifier, and the free cross-check of its claims against TS3.

Source: 005010X221A1, loop 2000: TS301 provider, TS304 number of claims, TS305 their charges. A count that differs means
that claims are lost or added, and refuses the set; a sum of charges enters no payment and is only a warning.
"""

from ingest.x12.examination import examine_other
from ingest.x12.identity import bare_identifier
from ingest.x12.loop import Loop
from schemas.collecting import shown_figure
from schemas.money import cents_from_text, text_from_cents


class Store:
    """What an LX loop says before its claims, and the claims counted since."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._summaries = [index for index, kind in enumerate(loop.kinds) if kind == "TS3"]
        self.payee = bare_identifier(loop.text(self._summaries[0], 1)) if self._summaries else ""
        """Qualified identifier from TS301; empty when the LX names no store."""
        self._claim_count = 0
        self._charge_cents = 0
        examine_other(loop, frozenset(("TS3",)))
        if len(self._summaries) > 1:
            loop.refuse("segment_repeated", self._summaries[1], 0, "one TS3 for an LX", str(len(self._summaries)))

    def add_claims(self, count: int, charge_cents: int) -> None:
        """Count claims of the store, and what those that can be read charge together."""
        self._claim_count += count
        self._charge_cents += charge_cents

    def check(self) -> None:
        """Compare with the claims that came, once all have come."""
        if len(self._summaries) != 1:
            return
        summary = self._summaries[0]
        self._compare(summary, 4, 100 * self._claim_count)
        self._compare(summary, 5, self._charge_cents)

    def _compare(self, summary: int, number: int, counted_cents: int) -> None:
        text = self._loop.text(summary, number)
        if not text:
            return
        rule = "store_claim_count" if number == 4 else "store_charges"
        say = self._loop.refuse if number == 4 else self._loop.warn
        try:
            # A count is a decimal number too: 3, 3.0; read as hundredths it compares exactly.
            stated_cents = cents_from_text(text)
        except ValueError:
            self._loop.warn(rule, summary, number, "a number", shown_figure(text))
            return
        if stated_cents != counted_cents:
            expected = str(counted_cents // 100) if number == 4 else text_from_cents(counted_cents)
            say(rule, summary, number, f"{expected}, as its claims say", shown_figure(text))
