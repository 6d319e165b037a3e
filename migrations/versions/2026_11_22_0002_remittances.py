"""Complete the remittances: reversals paired, forward balances, a remittance for each member, the vault's upkeep.

Why one step: a member's own remittance copies what the first files find, and the vault keeps both.
"""

from pathlib import Path

from alembic import op

revision = "2026_11_22_0002"
down_revision = "2026_11_22_0001"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "2026_11_22_0002_remittances"


def upgrade() -> None:
    """Run the files in their order."""
    for path in sorted(SQL.glob("[0-9]*.sql")):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take it back, last file first."""
    for path in sorted(SQL.glob("down_*.sql"), reverse=True):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))
