"""Markets: data sets checked at their border, and views of them that cannot see ahead."""
