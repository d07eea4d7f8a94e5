"""What companies publish: near-repeats, passages, the index on disk, search, and the way back to the page."""
