"""Days of synthetic callers and campaigns through the real routing and pacing code, on simulated time."""
