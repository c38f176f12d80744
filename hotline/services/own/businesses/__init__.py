"""The businesses that can be filed in a conversation: one file each, and what they share in business.py."""
