"""Payments to others than members: levies, escheats, refunds."""
