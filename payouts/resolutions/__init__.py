"""What people decide on money that does not fit: each a proposal, a second person, a posting, undone by reversal."""
