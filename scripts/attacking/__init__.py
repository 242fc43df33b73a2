"""scripts/attack: floods, fuzzing, injection and fraud against a server of its own, with verdicts."""
