"""Prove it to outsiders: the seal and its trail, the books as known at a checkpoint, months that close, certificates.

Why one step: what is closed, certified or exported names the checkpoint that it was read at.
"""

from migrations.steps import run_down, run_up

revision = "2026_11_22_0005"
down_revision = "2026_11_22_0004"
branch_labels = None
depends_on = None

STEP = "2026_11_22_0005_proof"


def upgrade() -> None:
    """Run its files."""
    run_up(STEP)


def downgrade() -> None:
    """Run those that take it back."""
    run_down(STEP)
