"""A payout cycle: proposed, looked at, approved, released, settled; its limits and gates."""
