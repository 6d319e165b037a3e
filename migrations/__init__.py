"""Alembic: the schema of the database, one dated step at a time."""
