"""Pay on schedule and say so on paper: payout schedules, direct pay, fee rules, statements, notices, jobs by the clock.

Why one step: a fee that is waived, a member that is not due and a job that failed stand on the same papers and lists.
"""

from migrations.steps import run_down, run_up

revision = "2026_11_22_0004"
down_revision = "2026_11_22_0003"
branch_labels = None
depends_on = None

STEP = "2026_11_22_0004_on_schedule_on_paper"


def upgrade() -> None:
    """Run its files."""
    run_up(STEP)


def downgrade() -> None:
    """Run those that take it back."""
    run_down(STEP)
