"""Telephone calls: their recordings, and what they come to in figures."""
