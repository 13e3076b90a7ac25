"""Several tables whose rows belong to each other."""
