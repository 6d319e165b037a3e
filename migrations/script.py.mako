"""${message}

Why: say what made this step necessary.
"""

from migrations.steps import run_down, run_up

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

STEP = "the step's folder in migrations/sql"


def upgrade() -> None:
    """Run its files."""
    run_up(STEP)


def downgrade() -> None:
    """Run those that take it back."""
    run_down(STEP)
