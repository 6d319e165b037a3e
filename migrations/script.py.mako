"""${message}

Why: say what made this step necessary.
"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Say what becomes of the tables and of the rows in them."""
    ${upgrades if upgrades else 'op.get_bind().exec_driver_sql("")'}


def downgrade() -> None:
    """Say what is lost."""
    ${downgrades if downgrades else 'op.get_bind().exec_driver_sql("")'}
