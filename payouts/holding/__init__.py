"""Money of members that is kept back: holds, levies, unclaimed property."""
