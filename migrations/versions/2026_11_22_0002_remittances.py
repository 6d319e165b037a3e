"""Complete the remittances: reversals paired, forward balances, a remittance for each member, the vault's upkeep.

Why one step: a member's own remittance copies what the first files find, and the vault keeps both.
"""

from migrations.steps import run_down, run_up

revision = "2026_11_22_0002"
down_revision = "2026_11_22_0001"
branch_labels = None
depends_on = None

STEP = "2026_11_22_0002_remittances"


def upgrade() -> None:
    """Run its files."""
    run_up(STEP)


def downgrade() -> None:
    """Run those that take it back."""
    run_down(STEP)
