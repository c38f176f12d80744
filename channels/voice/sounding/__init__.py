"""From words to sound: the port, and the voices behind it."""
