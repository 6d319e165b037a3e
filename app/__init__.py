"""Composition: settings, database, unit of work, logging, and the ``centralpay`` command. Nothing imports it."""
