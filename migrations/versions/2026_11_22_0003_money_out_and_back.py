"""Complete the life of a payout: approvers, what was sent and what came back, bank details, holds, decisions.

Why one step: a return holds money, asks for new bank details and is paid again; none of it stands without the others.
"""

from pathlib import Path

from alembic import op

revision = "2026_11_22_0003"
down_revision = "2026_11_22_0002"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "2026_11_22_0003_money_out_and_back"


def upgrade() -> None:
    """Run the files in their order."""
    for path in sorted(SQL.glob("[0-9]*.sql")):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take it back, last file first."""
    for path in sorted(SQL.glob("down_*.sql"), reverse=True):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))
