"""Augmentations that a critic sees: differentiable, batch-wise, and the identity at probability 0."""
