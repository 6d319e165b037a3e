"""A digest of what a transaction set says, whatever its delimiters, line breaks and control numbers."""

from hashlib import sha256

from ingest.x12.delimiters import Delimiters


class ContentDigest:
    """SHA-256 over the segments of one set in order, with ST02 and SE02 left out and delimiters normalised."""

    def __init__(self, delimiters: Delimiters) -> None:
        self._delimiters = delimiters
        self._hash = sha256()

    def add(self, text: str) -> None:
        """Add segments without noise, each with its terminator."""
        self._hash.update(text.encode("latin-1").translate(self._delimiters.normal))

    def add_without_control_number(self, segment: str) -> None:
        """Add an ST or SE without its second element."""
        element = self._delimiters.element
        elements = segment.split(element)
        self.add(element.join(elements[:2] + elements[3:]) + self._delimiters.terminator)

    def digest(self) -> bytes:
        """Give the 32 bytes for what was added so far."""
        return self._hash.digest()
