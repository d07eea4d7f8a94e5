"""The graph of companies and events: who is related to whom, who holds office, what has happened; docs/relations.md."""
