"""Sound waits for its time, and its time only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.voice.asterisk.media import Playout
from channels.voice.line import FRAME_BYTES

pytestmark = pytest.mark.anyio

SECOND = 16000


class Peer:
    def __init__(self) -> None:
        self.got: list[tuple[float, bytes]] = []

    async def take(self, sound: bytes) -> None:
        self.got.append((time.monotonic(), sound))

    @property
    def sound(self) -> bytes:
        return b"".join(sound for _, sound in self.got)


@asynccontextmanager
async def _playing(ahead_s: float = 0.1) -> AsyncIterator[tuple[Playout, Peer]]:
    peer = Peer()
    playout = Playout(peer.take, ahead_s=ahead_s)
    running = asyncio.create_task(playout.run())
    yield playout, peer
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _numbered(frames: int) -> bytes:
    return b"".join(number.to_bytes(2, "little") * 160 for number in range(1, frames + 1))


async def test_no_more_is_handed_on_than_is_to_be_ahead() -> None:
    async with _playing(0.1) as (playout, peer):
        sound = _numbered(25)
        await playout.write(sound)
        await asyncio.sleep(0.02)
        assert len(peer.sound) <= 6 * FRAME_BYTES
        assert playout.buffered_s() == pytest.approx(0.5, abs=0.1)
        await asyncio.sleep(0.7)
        assert peer.sound == sound
        assert playout.buffered_s() == 0.0


async def test_sound_in_odd_pieces_is_handed_on_without_a_gap() -> None:
    async with _playing() as (playout, peer):
        sound = _numbered(10)
        for start in range(0, len(sound), 123):
            await playout.write(sound[start : start + 123])
        await asyncio.sleep(0.4)
        assert peer.sound == sound


async def test_the_rest_of_a_frame_is_filled_with_silence() -> None:
    async with _playing() as (playout, peer):
        await playout.write(b"\x01\x00" * 170)
        await asyncio.sleep(0.3)
        assert peer.sound == b"\x01\x00" * 170 + bytes(2 * FRAME_BYTES - 340)


async def test_what_is_flushed_is_never_heard_and_a_writer_waits_no_longer() -> None:
    async with _playing() as (playout, peer):
        writing = asyncio.create_task(playout.write(_numbered(1000)))
        await asyncio.sleep(0.05)
        assert not writing.done()
        playout.flush()
        playout.nothing_ahead()
        await asyncio.wait_for(writing, 0.2)
        before = len(peer.sound)
        assert playout.buffered_s() == 0.0
        await playout.write(b"\x07\x00" * 160)
        await asyncio.sleep(0.1)
        assert peer.sound[before:] == b"\x07\x00" * 160


async def test_nothing_is_handed_on_while_held() -> None:
    async with _playing() as (playout, peer):
        playout.hold(held=True)
        await playout.write(_numbered(3))
        await asyncio.sleep(0.1)
        assert peer.sound == b""
        playout.hold(held=False)
        await asyncio.sleep(0.15)
        assert peer.sound == _numbered(3)
