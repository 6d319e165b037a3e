"""What the system takes for its main work, measured beside its budgets: ``python -m bench``."""
