"""Stand-ins for venues: an exchange in memory, and servers on this machine that speak a venue's protocol before it."""
