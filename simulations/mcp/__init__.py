"""Sessions for clients of the Model Context Protocol (extra `mcp`)."""
