"""From sentences to phonemes, and from phonemes to the times at which they are spoken."""
