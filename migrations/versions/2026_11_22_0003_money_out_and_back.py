"""Complete the life of a payout: approvers, what was sent and what came back, bank details, holds, decisions.

Why one step: a return holds money, asks for new bank details and is paid again; none of it stands without the others.
"""

from migrations.steps import run_down, run_up

revision = "2026_11_22_0003"
down_revision = "2026_11_22_0002"
branch_labels = None
depends_on = None

STEP = "2026_11_22_0003_money_out_and_back"


def upgrade() -> None:
    """Run its files."""
    run_up(STEP)


def downgrade() -> None:
    """Run those that take it back."""
    run_down(STEP)
