"""Audio: sounds, speech and music as waves of one channel."""
