"""Training as a generator: it yields after each epoch; the caller logs, saves and stops."""
