"""A vendor's voice by HTTP (docs/speech.md): a text is posted, its sound comes back."""

from __future__ import annotations

import asyncio
from typing import Final

import httpx

from channels.voice.line import RATE
from channels.voice.sounding import pcm, sounds, wav
from channels.voice.sounding.port import VoiceAway

_MOST_BYTES: Final = 8 * 1024 * 1024
"""Four minutes at 16 kHz; nothing that is said in one go has as many."""
_RAW: Final = "audio/pcm"
"""Little-endian, 16 bit, mono, 8 kHz, as it is. Everything else is read as WAV."""


class RemoteVoice:
    """Safe for concurrent calls; connections are kept and shared."""

    def __init__(
        self, url: str, token: str = "", *, limit_s: float = 3.0, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        self._limit_s = limit_s
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(limit_s, connect=min(1.0, limit_s)),
            limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
            transport=transport,
            trust_env=False,
        )

    @property
    def made_by(self) -> str:
        """What the sound depends on besides the text."""
        return self._url

    async def speak(self, text: str) -> bytes:
        if not any(char.isalnum() for char in text):
            return b""
        try:
            async with asyncio.timeout(self._limit_s):
                kind, body = await self._asked(text)
        except TimeoutError as error:
            raise VoiceAway("the voice is too slow") from error
        except httpx.HTTPError as error:
            raise VoiceAway(f"the voice cannot be reached: {type(error).__name__}") from error
        return await asyncio.to_thread(_fitted, kind, body)

    async def sound(self, name: str) -> bytes:
        return await asyncio.to_thread(sounds.sound, name)

    async def close(self) -> None:
        await self._client.aclose()

    async def _asked(self, text: str) -> tuple[str, bytes]:
        """The content's type and the content."""
        async with self._client.stream("POST", self._url, json={"text": text, "rate": RATE}) as response:
            if response.status_code != httpx.codes.OK:
                raise VoiceAway(f"the voice answered {response.status_code}")
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > _MOST_BYTES:
                    raise VoiceAway("the voice gave more sound than one text can have")
        return response.headers.get("content-type", "").partition(";")[0].strip().lower(), bytes(body)


def _fitted(kind: str, body: bytes) -> bytes:
    try:
        if kind == _RAW:
            samples = pcm.from_pcm(body[: len(body) // 2 * 2])
            found = wav.Wav(rate=RATE, encoding="pcm16", samples=samples)
        else:
            found = wav.read(body)
    except ValueError as error:
        raise VoiceAway(f"what the voice gave {error}") from error
    fitted = pcm.fit(found)
    if not fitted:
        raise VoiceAway("the voice gave nothing but silence")
    return fitted
