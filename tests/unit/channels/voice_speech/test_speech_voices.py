"""The voices: espeak-ng, a vendor's by HTTP, recordings, and what is kept of them."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from channels.voice.line import RATE
from channels.voice.sounding import pcm, prompts, wav
from channels.voice.sounding.build import build_voice
from channels.voice.sounding.cache import CachedVoice
from channels.voice.sounding.espeak import EspeakVoice
from channels.voice.sounding.port import VoiceAway
from channels.voice.sounding.recorded import RecordedVoice
from channels.voice.sounding.remote import RemoteVoice
from hotline.errors import ConfigError
from hotline.settings import Settings, TelephoneSettings
from tests.telephone.sounds import tone

pytestmark = pytest.mark.anyio

needs_espeak = pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")


class CountingVoice:
    """A tenth of a second for each character. ``gate`` holds it up, ``failing`` makes it fail."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False
        self.made_by = "counting 1"

    async def speak(self, text: str) -> bytes:
        self.asked.append(text)
        await self.gate.wait()
        if self.failing:
            raise VoiceAway("gone")
        return tone(300, 0.1 * len(text))

    async def sound(self, name: str) -> bytes:
        return tone(440, 0.1)

    async def warm(self) -> None:
        self.asked.append("(warm)")

    async def close(self) -> None:
        self.closed = True


# --- espeak-ng -------------------------------------------------------------------------------------------------------


@needs_espeak
async def test_espeak_says_a_sentence_for_the_telephone() -> None:
    voice = EspeakVoice(limit_s=20)
    sound = pcm.from_pcm(await voice.speak("您好，随时按0转人工。"))
    assert 1 < sound.size / RATE < 4
    loud = abs(sound) > 0.02
    assert loud[: RATE // 10].any()
    assert loud[-RATE // 10 :].any()
    assert 0.05 < float((sound**2).mean() ** 0.5) < 0.15


@needs_espeak
async def test_espeak_is_given_no_options_by_a_text() -> None:
    assert await EspeakVoice(limit_s=20).speak("--help 余额")


@pytest.mark.parametrize("text", ["", "  \n", "。，！", "——"])
async def test_nothing_to_say_is_no_sound(text: str) -> None:
    assert await EspeakVoice(program="/nowhere/espeak").speak(text) == b""


async def test_a_missing_program_is_a_voice_away() -> None:
    voice = EspeakVoice(program="/nowhere/espeak")
    assert not voice.is_here
    with pytest.raises(VoiceAway, match="cannot be started"):
        await voice.speak("您好")


def program(directory: Path, script: str) -> str:
    path = directory / "voice"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exec sleep 30", "too slow"),
        ("exit 3", "ended with 3"),
        ("cat > /dev/null; echo garbage", "no WAV"),
        ("kill -9 $$", "ended with -9"),
    ],
)
async def test_a_program_that_misbehaves_is_a_voice_away(tmp_path: Path, script: str, reason: str) -> None:
    with pytest.raises(VoiceAway, match=reason):
        await EspeakVoice(program=program(tmp_path, script), limit_s=1).speak("您好")


async def test_a_program_that_hangs_is_ended(tmp_path: Path) -> None:
    voice = EspeakVoice(program=program(tmp_path, f"echo $$ > {tmp_path}/pid\nexec sleep 30"), limit_s=1)
    with pytest.raises(VoiceAway):
        await voice.speak("您好")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


# --- a vendor's ------------------------------------------------------------------------------------------------------


def vendor(answer: Callable[[httpx.Request], httpx.Response], *, limit_s: float = 1.0) -> RemoteVoice:
    return RemoteVoice("http://voice/say", "s3cret", limit_s=limit_s, transport=httpx.MockTransport(answer))


@pytest.mark.parametrize(
    ("kind", "body"), [("audio/wav", wav.write(tone(300, 0.5))), ("audio/pcm; rate=8000", tone(300, 0.5))]
)
async def test_a_vendors_sound_is_made_fit(kind: str, body: bytes) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    voice = vendor(answer)
    assert len(await voice.speak("您好")) / 2 / RATE == pytest.approx(0.5, abs=0.05)
    assert asked[0].headers["authorization"] == "Bearer s3cret"
    assert json.loads(asked[0].content) == {"text": "您好", "rate": 8000}
    await voice.close()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(500, content=b"oops"),
        httpx.Response(200, content=b"{}", headers={"content-type": "application/json"}),
        httpx.Response(200, content=wav.write(bytes(8000))),
        httpx.Response(200, content=b""),
        httpx.Response(302, headers={"location": "http://elsewhere"}),
        httpx.Response(200, content=bytes(9 * 1024 * 1024)),
    ],
)
async def test_what_is_no_sound_is_a_voice_away(response: httpx.Response) -> None:
    voice = vendor(lambda _: response)
    with pytest.raises(VoiceAway):
        await voice.speak("您好")
    await voice.close()


async def test_a_vendor_that_cannot_be_reached_is_a_voice_away() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    voice = vendor(refuse)
    with pytest.raises(VoiceAway, match="ConnectError"):
        await voice.speak("您好")
    await voice.close()


async def test_a_vendor_that_is_slow_is_a_voice_away() -> None:
    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError

    voice = RemoteVoice("http://voice/say", limit_s=0.05, transport=Slow())
    with pytest.raises(VoiceAway, match="slow"):
        await voice.speak("您好")
    await voice.close()


# --- what is kept ----------------------------------------------------------------------------------------------------


async def test_a_text_is_rendered_once_for_all_who_need_it_at_once() -> None:
    inner = CountingVoice()
    inner.gate.clear()
    voice = CachedVoice(inner)
    waiting = [asyncio.create_task(voice.speak("您好")) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    inner.gate.set()
    heard = await asyncio.gather(*waiting[1:])
    assert inner.asked == ["您好"]
    assert {len(sound) for sound in heard} == {len(tone(300, 0.2))}
    await voice.speak("您好")
    assert inner.asked == ["您好"]


async def test_a_failure_is_not_kept() -> None:
    inner = CountingVoice()
    inner.failing = True
    voice = CachedVoice(inner)
    for _ in range(2):
        with pytest.raises(VoiceAway):
            await voice.speak("您好")
    inner.failing = False
    assert await voice.speak("您好")


async def test_fixed_texts_survive_a_restart_and_no_other_text_ever_touches_the_disk(tmp_path: Path) -> None:
    first = CachedVoice(CountingVoice(), fixed={"再见"}, folder=tmp_path)
    said = [await first.speak(text) for text in ("再见", "您的余额是123456元")]
    assert len(list(tmp_path.iterdir())) == 1
    inner = CountingVoice()
    second = CachedVoice(inner, fixed={"再见"}, folder=tmp_path)
    assert [await second.speak(text) for text in ("再见", "您的余额是123456元")] == said
    assert inner.asked == ["您的余额是123456元"]


async def test_another_voice_does_not_say_it_by_the_old_ones_files(tmp_path: Path) -> None:
    await CachedVoice(CountingVoice(), fixed={"再见"}, folder=tmp_path).speak("再见")
    inner = CountingVoice()
    inner.made_by = "counting 2"
    await CachedVoice(inner, fixed={"再见"}, folder=tmp_path).speak("再见")
    assert inner.asked == ["再见"]


async def test_a_broken_file_is_rendered_anew(tmp_path: Path) -> None:
    await CachedVoice(CountingVoice(), fixed={"再见"}, folder=tmp_path).speak("再见")
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"RIFF")
    assert await CachedVoice(CountingVoice(), fixed={"再见"}, folder=tmp_path).speak("再见") == tone(300, 0.2)
    assert wav.read(path.read_bytes()).seconds == pytest.approx(0.2)


async def test_a_disk_that_takes_nothing_costs_nobody_the_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    voice = CachedVoice(CountingVoice(), fixed={"再见"}, folder=tmp_path / "file")
    assert await voice.speak("再见")


async def test_memory_is_bounded_and_what_was_used_last_stays() -> None:
    inner = CountingVoice()
    voice = CachedVoice(inner, memory_bytes=2 * len(tone(300, 0.2)) + 100)
    for text in ("一一", "二二", "一一", "三三", "一一", "二二"):
        await voice.speak(text)
    assert inner.asked == ["一一", "二二", "三三", "二二"]


async def test_what_is_about_a_person_is_forgotten_soon_and_what_is_fixed_is_not() -> None:
    now = [0.0]
    inner = CountingVoice()
    voice = CachedVoice(inner, fixed={"再见"}, kept_s=10, clock=lambda: now[0])
    for now[0] in (0.0, 9.0, 10.0):
        await voice.speak("再见")
        await voice.speak("余额")
    assert inner.asked == ["再见", "余额", "余额"]


async def test_warming_renders_what_is_fixed_and_removes_files_of_what_is_fixed_no_more(tmp_path: Path) -> None:
    await CachedVoice(CountingVoice(), fixed={"旧的", "再见"}, folder=tmp_path).warm()
    assert len(list(tmp_path.iterdir())) == 2
    inner = CountingVoice()
    voice = CachedVoice(inner, fixed={"再见", "您好"}, folder=tmp_path)
    await voice.warm()
    await voice.warm()
    assert inner.asked == ["您好"]
    assert len(list(tmp_path.iterdir())) == 2


async def test_warming_goes_on_where_a_text_cannot_be_said(tmp_path: Path) -> None:
    inner = CountingVoice()
    inner.failing = True
    await CachedVoice(inner, fixed={"再见", "您好"}, folder=tmp_path).warm()
    assert sorted(inner.asked) == ["再见", "您好"]
    assert list(tmp_path.iterdir()) == []


async def test_closing_ends_what_is_being_rendered() -> None:
    inner = CountingVoice()
    inner.gate.clear()
    voice = CachedVoice(inner)
    waiting = asyncio.create_task(voice.speak("您好"))
    await asyncio.sleep(0)
    await voice.close()
    with pytest.raises(VoiceAway):
        await waiting
    assert inner.closed


# --- recordings ------------------------------------------------------------------------------------------------------


def record(folder: Path, name: str, seconds: float = 0.5) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(wav.write(tone(200, seconds)))


async def test_recordings_are_played_and_the_rest_is_said_by_the_other_voice(tmp_path: Path) -> None:
    prompts.write_index(tmp_path, ["再见，12329。", "您好"])
    record(tmp_path, prompts.file_name("再见，12329。"))
    inner = CountingVoice()
    voice = RecordedVoice(tmp_path, inner)
    assert voice.count == 1
    assert len(await voice.speak("再见，1 2 3 2 9。")) / 2 / RATE == pytest.approx(0.5, abs=0.02)
    await voice.speak("您好")
    assert inner.asked == ["您好"]


async def test_a_studios_own_file_names_and_sounds_count(tmp_path: Path) -> None:
    (tmp_path / "prompts.csv").write_text("text,file\n再见,bye.wav\n", encoding="utf-8-sig")
    record(tmp_path, "bye.wav", 0.7)
    record(tmp_path, "waiting.wav", 2.0)
    voice = RecordedVoice(tmp_path, CountingVoice())
    assert len(await voice.speak("再见")) / 2 / RATE == pytest.approx(0.7, abs=0.02)
    assert len(await voice.sound("waiting")) / 2 / RATE == pytest.approx(2.0, abs=0.02)
    assert len(await voice.sound("ringing")) / 2 / RATE == pytest.approx(0.1)


async def test_a_recording_that_vanishes_is_said_by_the_other_voice(tmp_path: Path) -> None:
    prompts.write_index(tmp_path, ["再见"])
    record(tmp_path, prompts.file_name("再见"))
    inner = CountingVoice()
    voice = RecordedVoice(tmp_path, inner)
    (tmp_path / prompts.file_name("再见")).unlink()
    assert await voice.speak("再见")
    assert inner.asked == ["再见"]


async def test_warming_reads_recordings_and_warms_the_other_voice(tmp_path: Path) -> None:
    prompts.write_index(tmp_path, ["再见"])
    record(tmp_path, prompts.file_name("再见"))
    inner = CountingVoice()
    voice = RecordedVoice(tmp_path, inner)
    await voice.warm()
    (tmp_path / prompts.file_name("再见")).unlink()
    assert await voice.speak("再见")
    assert inner.asked == ["(warm)"]
    await voice.close()
    assert inner.closed


# --- built from settings ---------------------------------------------------------------------------------------------


def settings(folder: Path, **telephone: object) -> Settings:
    return Settings(state_dir=folder, telephone=TelephoneSettings.model_validate(telephone))


async def test_the_voice_of_the_settings_is_built(tmp_path: Path) -> None:
    for telephone in ({}, {"voice": "recorded"}, {"voice": "remote", "voice_url": "https://voice.example/say"}):
        voice = build_voice(settings(tmp_path, **telephone))
        assert await voice.sound("ringing")
        await voice.close()


@pytest.mark.parametrize("url", ["", "ws://voice", "voice.example"])
def test_a_remote_voice_without_an_address_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError, match="GJJ_TELEPHONE__VOICE_URL"):
        build_voice(settings(tmp_path, voice="remote", voice_url=url))


@needs_espeak
async def test_espeak_is_done_with_the_greeting_in_about_eight_seconds() -> None:
    greeting = prompts.fixed_prompts("广州公积金")[0]
    assert len(await EspeakVoice(limit_s=20).speak(greeting)) / 2 / RATE < 8.2
