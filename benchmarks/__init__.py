"""Speed and memory, measured; never asserted in tests, because machines are noisy."""
