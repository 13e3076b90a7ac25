"""What will be trained, and what it will cost, before anything is."""
