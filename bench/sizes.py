"""How much of everything one run does."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of all cases; the defaults are those that the documentation's figures belong to."""

    claims: int = 200_000
    """In an 835 that is read, and in those that are taken in."""
    pharmacies: int = 2_000
    """Whose claims they are."""
    files: int = 200
    """Into which the same claims go when each store has a set of its own."""
    entries: int = 40_000
    """Posted in batches."""
    small_batch: int = 1_000
    large_batch: int = 5_000
    payouts: int = 20_000
    """Members that are paid in one cycle."""
    bank_lines: int = 100_000
    """Lines of text in a bank file."""
    long_claims: int = 7_500_000
    """In the largest file, 1.5 GB."""
    long_sets: int = 10
    """Into which they go."""
    found_claims: int = 30_000_000
    """Claim lines among which some are looked up."""
    sealed_entries: int = 1_000_000
    """Entries that are sealed at once."""

    @classmethod
    def scaled(cls, scale: float) -> "Sizes":
        """Give the sizes times ``scale``, none below what still shows the work."""
        full = cls()

        def part(count: int, fewest: int) -> int:
            return max(fewest, round(count * scale))

        pharmacies = part(full.pharmacies, 20)
        return cls(
            claims=part(full.claims, 10 * pharmacies),
            pharmacies=pharmacies,
            files=part(full.files, 2),
            entries=part(full.entries, 80),
            small_batch=part(full.small_batch, 20),
            large_batch=part(full.large_batch, 40),
            payouts=part(full.payouts, 50),
            bank_lines=part(full.bank_lines, 100),
            long_claims=part(full.long_claims, 4 * pharmacies),
            long_sets=2 if scale < 0.01 else full.long_sets,
            found_claims=part(full.found_claims, 10_000),
            sealed_entries=part(full.sealed_entries, 500),
        )
