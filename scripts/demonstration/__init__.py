"""One call from a trunk to an agent, shown step by step: the code of scripts/demo."""
