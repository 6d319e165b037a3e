"""A realistic payment day on generated files, run through the same code as the commands."""
