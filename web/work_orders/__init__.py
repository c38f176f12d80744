"""The staff's pages of work orders."""
