"""Published and user-given networks: loading, weights, engines."""
