"""Points in the plane or in any number of dimensions."""
