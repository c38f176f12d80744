"""`python -m tests.measure`."""

from tests.measure.command import app

app()
