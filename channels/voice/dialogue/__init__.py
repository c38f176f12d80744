"""The telephone's side of a conversation, on any line."""
