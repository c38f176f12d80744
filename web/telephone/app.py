"""The telephone process: `uvicorn web.telephone.app:serve --factory`. It has no door but its health."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

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
from web.core import build_process, running
from web.telephone.around import build_around, converse
from web.telephone.calls import CallTaker
from web.telephone.lines import Switch, build_switch

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
    line = Line(switch)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await core.calls.lost(line_processes_started_at=utc_now())
        SileroActivity()  # loads the library, which takes half a second
        async with running(core, line.run(), voice.warm(), *_by_keypad(settings, core, voice), prepare=prepare):
            yield
        if recorder is not None:
            await recorder.close()
        await voice.close()
        if taker.recogniser is not None:
            await taker.recogniser.close()
        await core.close()

    app = FastAPI(title="12329 telephone", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/health")
    async def health() -> Response:
        """The number of calls; 503 while none can come in."""
        return Response(status_code=200 if line.is_up else 503, content=str(taker.going_on), media_type="text/plain")

    return app


class Line:
    """Takes calls as long as it can; when it cannot any more the process ends, to be started again."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.is_up = False

    async def run(self) -> None:
        self.is_up = True
        try:
            await self._switch.run()
        except Exception:
            log.exception("telephone.line.gone")
            signal.raise_signal(signal.SIGTERM)
        finally:
            self.is_up = False


def _by_keypad(settings: Settings, core: Core, voice: Voice) -> list[Coroutine[Any, Any, None]]:
    """Callers of a switch that cannot bring their sound: keys alone, by FastAGI, where its port is set."""
    if not settings.telephone.asterisk.agi_port:
        return []
    server = AgiServer(
        partial(converse, around=build_around(core)),
        files=PromptFiles(voice, settings.state_dir / "agi-prompts"),
        host=settings.telephone.host,
        port=settings.telephone.asterisk.agi_port,
    )
    return [server.run()]
