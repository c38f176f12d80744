"""What every command shares: where it writes, and how it ends when something expected goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from rich.console import Console

from hotline import checks
from hotline.errors import HotlineError
from hotline.settings import Settings, get_settings

notes = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)


def report(line: str) -> None:
    """One line for the operator, on standard error."""
    notes.print(line, markup=False)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Expected failures end the command with one clear message and exit code 1, without a stack trace."""
    try:
        yield
    except HotlineError as error:
        report(f"hotline: {error}")
        raise typer.Exit(1) from error


def settings() -> Settings:
    """The settings, or one line for every one that is wrong and exit code 2."""
    try:
        return get_settings()
    except ValidationError as error:
        for line in checks.wrong_settings(error):
            report(f"hotline: {line}")
        raise typer.Exit(2) from error
