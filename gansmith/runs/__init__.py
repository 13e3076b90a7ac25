"""Run folders: configuration, checkpoints, log, samples, scores."""
