"""``python -m channels.voice.sounding``: the prompts a studio records, and whether its files can be used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from channels.voice.sounding import prompts
from channels.voice.sounding.build import prompts_dir
from hotline.errors import ConfigError
from hotline.settings import get_settings

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def sounding() -> None:
    """One command so far; its name stays part of the call."""


@app.command("prompts")
def write_prompts(
    folder: Annotated[Path | None, typer.Option(help="instead of the folder in the settings")] = None,
    centre: Annotated[str, typer.Option(help="the centre's name in the greeting; by default from the settings")] = "",
) -> None:
    """List the fixed prompts in prompts.csv with the file of each, and check the files that are there.

    Exit code 1 where a file is refused.
    """
    try:
        settings = get_settings()
        target = folder or prompts_dir(settings)
        texts = prompts.fixed_prompts(centre or prompts.centre_name(settings.centre))
        new = prompts.write_index(target, texts)
        found = prompts.check(target)
    except (ConfigError, OSError) as error:
        typer.echo(f"sounding prompts: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{target / prompts.INDEX}: {len(found.good) + len(found.missing) + len(found.refused)} prompts")
    typer.echo(f"{new} newly listed, {len(found.good)} recorded, {len(found.missing)} to record")
    for file, reason in sorted(found.refused.items()):
        typer.echo(f"refused: {file} {reason}")
    if found.refused:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
