"""What agents call: market data, indicators, documents, the optimizer, the rules, brokers."""
