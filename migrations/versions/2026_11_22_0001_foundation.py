"""Lay the foundation: chart and matrix, directory, ledger, received files, payouts, exceptions, roles' rights.

Why one step: none of these tables is of use without the others, and nothing was installed before it.
"""

import csv
from pathlib import Path

from alembic import op

revision = "2026_11_22_0001"
down_revision = None
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "2026_11_22_0001_foundation"


def upgrade() -> None:
    """Run the files in their order and fill the posting matrix."""
    connection = op.get_bind()
    for path in sorted(SQL.glob("[0-9]*.sql")):
        connection.exec_driver_sql(path.read_text(encoding="utf-8"))
    with (SQL / "posting_rules.csv").open(encoding="utf-8", newline="") as file:
        rules = [tuple(row) for row in csv.reader(file)][1:]
    for rule in rules:
        connection.exec_driver_sql(
            "INSERT INTO posting_rule (event, ledger, owner_kind, account, side) VALUES (%s, %s, %s, %s, %s)", rule
        )


def downgrade() -> None:
    """Take everything away again; the schema itself belongs to the set-up of the roles."""
    op.get_bind().exec_driver_sql((SQL / "down.sql").read_text(encoding="utf-8"))
