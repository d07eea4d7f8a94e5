"""A mind behind a server that speaks `/v1/chat/completions`. Importing this package loads no network library."""
