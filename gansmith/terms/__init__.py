"""Loss terms besides the adversarial ones and the gradient penalties, one concept a file."""
