"""A member's statement: read from its own book, footed, tied to the bank's entry, written in four forms."""
