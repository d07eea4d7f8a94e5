"""Training of the minds: exercises with known answers, adapters of the desk's own model, readers of sentences."""
