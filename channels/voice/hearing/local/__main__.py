"""``python -m channels.voice.hearing.local``: recognises speech until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer

from channels.voice.hearing.local import model_files, whisper
from channels.voice.hearing.local.server import RecogniserServer
from channels.voice.hearing.local.work import Work
from hotline.errors import ConfigError
from hotline.logging import configure_logging
from hotline.settings import Settings, get_settings

log = structlog.get_logger(__name__)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(help=__doc__)
def main(
    threads: Annotated[int, typer.Option(min=1, max=16, help="that recognise one utterance")] = 2,
) -> None:
    settings = get_settings()
    configure_logging(settings.log_level, "hearing")
    try:
        recogniser = whisper.load(model_files.ready(settings.state_dir / "models" / "whisper-base"), threads=threads)
    except ConfigError as error:
        typer.echo(f"hearing: {error}", err=True)
        raise typer.Exit(1) from error
    asyncio.run(_serve(settings, Work(recogniser)))


async def _serve(settings: Settings, work: Work) -> None:
    url = urlsplit(settings.telephone.recogniser_url)
    server = RecogniserServer(work, token=settings.telephone.recogniser_token.get_secret_value())
    stopped = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    async with server.listening(url.hostname or "127.0.0.1", url.port or 8003):
        log.info("hearing.ready", port=url.port or 8003)
        await stopped.wait()
    work.close()


if __name__ == "__main__":
    app()
