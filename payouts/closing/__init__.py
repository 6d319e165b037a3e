"""Closing a month: what is checked, what is locked, and the package that is written; reopening takes two people."""
