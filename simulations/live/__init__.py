"""Live paper trading: the session graph on a live clock, with a venue behind it."""
