"""The minds: what can answer a `Request`, and how one is opened."""
