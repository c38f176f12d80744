"""Work orders: opened, worked on, concluded, exchanged with the city hotline, and told to citizens by number."""
