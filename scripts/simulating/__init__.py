"""A day of synthetic callers through the real routing code, on simulated time."""
