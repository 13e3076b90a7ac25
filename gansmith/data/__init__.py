"""What all kinds of data share."""
