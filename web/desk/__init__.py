"""The agent desk's pages."""
