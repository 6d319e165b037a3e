"""What keeps an installation alive: metrics, health, backup and restore."""
