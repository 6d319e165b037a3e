"""What banks answer to our entries: returns, notifications of change, disputed returns; and what follows from each."""
