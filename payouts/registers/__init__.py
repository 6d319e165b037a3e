"""Registers that an examiner asks for, read from the books as of a day and as known at a checkpoint."""
