"""The telephone process: `uvicorn web.telephone.app:serve --factory`. It has no door but its health."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from fastapi import FastAPI, Response

from channels.voice.asterisk.agi import AgiServer, PromptFiles
from channels.voice.audio import alaw
from channels.voice.audio.activity import SileroActivity
from channels.voice.hearing.build import build_recogniser
from channels.voice.sounding.build import build_voice
from channels.voice.sounding.port import Voice
from hotline.bootstrap import Core
from hotline.calls_bootstrap import build_recorder
from hotline.domain.clock import utc_now
from hotline.logging import configure_logging
from hotline.settings import Settings, get_settings
from web.core import build_process
from web.telephone.around import build_around, converse
from web.telephone.calls import CallTaker
from web.telephone.lines import build_switch

log = structlog.get_logger()


def serve() -> FastAPI:
    """What the process runs."""
    settings = get_settings()
    configure_logging(settings.log_level, "telephone")
    core, prepare = build_process(settings)
    return create_app(settings, core, prepare=prepare)


def create_app(settings: Settings, core: Core, *, prepare: Callable[[], None] | None = None) -> FastAPI:
    """The application on a core."""
    voice = build_voice(settings)
    recorder = build_recorder(settings, core.storage, encode=alaw.encode) if settings.telephone.record else None
    taker = CallTaker(core, build_around(core), voice, build_recogniser(settings), recorder)
    switch = build_switch(settings.telephone, taker)
    listening: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await core.calls.lost(line_processes_started_at=utc_now())
        line = asyncio.create_task(switch.run())
        listening.append(line)
        SileroActivity()  # loads the library, which takes half a second
        background = [
            line,
            *_by_keypad(settings, core, voice),
            asyncio.create_task(core.housekeeping.run()),
            asyncio.create_task(voice.warm()),
        ]
        if prepare:
            background.append(asyncio.create_task(asyncio.to_thread(prepare)))
        try:
            yield
        finally:
            for task in background:
                task.cancel()
            await asyncio.gather(*background, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await core.turns.idle()
            if recorder is not None:
                await recorder.close()
            await voice.close()
            if taker.recogniser is not None:
                await taker.recogniser.close()
            await core.close()

    app = FastAPI(title="12329 telephone", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    async def health() -> Response:
        """503 once no calls can come in any more: whoever started the process starts it again."""
        well = bool(listening) and not listening[0].done()
        return Response(status_code=200 if well else 503, content=str(taker.going_on), media_type="text/plain")

    return app


def _by_keypad(settings: Settings, core: Core, voice: Voice) -> list[asyncio.Task[None]]:
    """Callers of a switch that cannot bring their sound: keys alone, by FastAGI, where its port is set."""
    if not settings.telephone.asterisk.agi_port:
        return []
    server = AgiServer(
        partial(converse, around=build_around(core)),
        files=PromptFiles(voice, settings.state_dir / "agi-prompts"),
        host=settings.telephone.host,
        port=settings.telephone.asterisk.agi_port,
    )
    return [asyncio.create_task(server.run())]
