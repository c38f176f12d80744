"""The supervisor's wall."""
