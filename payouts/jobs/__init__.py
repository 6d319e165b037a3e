"""What runs by the clock: when a job is due, each run as a row, once, with bounded retries."""
