"""The telephone process: calls that are sound, on a line of our own."""
