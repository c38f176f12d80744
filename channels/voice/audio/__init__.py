"""Calls that are sound: endpoints of speech, breaking in, entries by keypad, recording."""
