"""Text: lines and documents as sequences of tokens."""
