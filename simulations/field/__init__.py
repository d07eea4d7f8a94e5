"""Many sessions as one study: what is run, how it is run on a machine, and what it comes to."""
