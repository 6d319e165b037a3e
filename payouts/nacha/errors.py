"""What the NACHA format refuses to carry."""

from schemas.errors import RefusedError


class NachaError(RefusedError):
    """A value that a NACHA file cannot hold as it stands. Nothing is cut off, replaced or left out to make it fit.

    Args:
        field: name of the attribute that holds the value, such as ``account_number``.
        problem: what is wrong with it, as the rest of a sentence; never the value itself where it may be an account.
        place: which entry or batch, such as ``entry 12``; empty for the file itself.
    """

    def __init__(self, field: str, problem: str, place: str = "") -> None:
        self.field = field
        self.problem = problem
        self.place = place
        super().__init__(f"NACHA {place or 'file'}, {field}: {problem}")
