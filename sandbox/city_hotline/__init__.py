"""A city hotline (12345) to try the exchange of work orders with."""
