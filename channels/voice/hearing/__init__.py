"""From the caller's sound to words: the port, and the recognisers behind it."""
