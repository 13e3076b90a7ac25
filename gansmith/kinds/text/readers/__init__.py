"""What reads texts."""
