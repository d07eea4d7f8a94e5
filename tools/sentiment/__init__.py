"""How texts sound: one module per way to measure it."""
