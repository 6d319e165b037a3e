"""Pay on schedule and say so on paper: payout schedules, direct pay, fee rules, statements, notices, jobs by the clock.

Why one step: a fee that is waived, a member that is not due and a job that failed stand on the same papers and lists.
"""

from pathlib import Path

from alembic import op

revision = "2026_11_22_0004"
down_revision = "2026_11_22_0003"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "2026_11_22_0004_on_schedule_on_paper"


def upgrade() -> None:
    """Run the files in their order."""
    for path in sorted(SQL.glob("[0-9]*.sql")):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))


def downgrade() -> None:
    """Take it back, last file first."""
    for path in sorted(SQL.glob("down_*.sql"), reverse=True):
        op.get_bind().exec_driver_sql(path.read_text(encoding="utf-8"))
