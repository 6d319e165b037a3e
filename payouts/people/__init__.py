"""Who acts and who is told: users, approvals, contacts, notices."""
