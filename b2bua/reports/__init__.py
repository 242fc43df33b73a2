"""What happened, as figures: statistics folded from the events, and what outside systems are told of them."""
