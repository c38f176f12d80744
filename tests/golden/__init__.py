"""Questions and conversations that nobody may train on, and how well they must be understood."""
