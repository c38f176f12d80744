"""The desk: people take over, and what they need for it."""
