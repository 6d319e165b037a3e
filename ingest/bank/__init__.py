"""Bank files: BAI2 prior-day statements."""
