"""Trends: whether a company will do better than the market over the next sessions, from documents and figures."""
