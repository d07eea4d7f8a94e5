"""Markets that come from other packages."""
