"""The ``centralpay`` command: one module for each group of commands; no SQL and no rules of its own."""
