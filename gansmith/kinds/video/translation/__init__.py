"""Videos made from given frames."""
