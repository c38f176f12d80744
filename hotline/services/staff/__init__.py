"""Members of staff: accounts, signing in, sessions."""
