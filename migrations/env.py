"""Alembic's entry: run the dated steps on the connection that ``app.database`` hands over, and on no other."""

from alembic import context

if context.is_offline_mode():
    raise NotImplementedError("Migrations run on a database only; a script of them would skip what they read.")

context.configure(
    # A statement without parameters goes as it stands: the percent signs of format() need no doubling.
    connection=context.config.attributes["connection"].execution_options(no_parameters=True),
    version_table_schema="centralpay",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
