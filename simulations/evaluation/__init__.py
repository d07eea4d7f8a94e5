"""What a session was worth: figures, baselines on the same ledger, and the picture."""
