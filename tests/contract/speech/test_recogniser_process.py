"""The recogniser as the process it is."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from channels.voice.hearing.port import Recognised
from channels.voice.hearing.remote import RemoteRecogniser
from hotline.settings import ROOT
from tests.contract.speech.kit import free_port, health, said
from tests.contract.speech.test_whisper import needs_whisper

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def process(directory: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    settings = {"GJJ_STATE_DIR": str(directory), "GJJ_TELEPHONE__RECOGNISER_URL": f"ws://127.0.0.1:{port}"}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "channels.voice.hearing.local", "--threads", "1"),
        env={**os.environ, **settings},
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def is_well(url: str) -> bool:
    try:
        return await health(url) == "0"
    except httpx.TransportError:
        return False


@needs_whisper
async def test_it_starts_recognises_and_stops_when_told(tmp_path: Path) -> None:
    port = free_port()
    url = f"ws://127.0.0.1:{port}"
    async with process(tmp_path, port) as started:
        for _ in range(600):
            if await is_well(url) or started.returncode is not None:
                break
            await asyncio.sleep(0.2)
        recogniser = RemoteRecogniser(url, finish_s=30)
        silence = await said(await recogniser.begin(hints=("公积金",)), pcm=bytes(16000))
        assert silence == [Recognised(text="", final=True, confidence=0.0)]
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), 20) == 0
        await recogniser.close()


async def test_a_state_directory_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    async with process(tmp_path, free_port()) as started:
        _, complaint = await asyncio.wait_for(started.communicate(), 60)
    assert started.returncode == 1
    assert complaint.decode().startswith("hearing: the recogniser's model cannot be kept in ")
    assert complaint.count(b"\n") == 1
