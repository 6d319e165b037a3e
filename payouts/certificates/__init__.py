"""Pass-through certificates: per member and month, that nothing but the flat fee was kept."""
