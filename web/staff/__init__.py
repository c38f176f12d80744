"""Where members of staff sign in, and what other pages of theirs need of that."""
