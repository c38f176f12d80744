"""What is recorded: two-channel sound, sealed, without what is left out."""

from __future__ import annotations

import asyncio
import struct
import threading
from datetime import timedelta

import pytest

from channels.voice.audio import alaw
from channels.voice.line import RecordingSink
from hotline.call_store import Gap
from hotline.services.calls.recorder import Recorder
from tests.unit.calls.studio import (
    LOUD,
    NOW,
    SILENT,
    SOFT,
    Studio,
    begun,
    loudness,
    recorded,
    spoken,
)

pytestmark = pytest.mark.anyio


async def test_both_sides_come_back_as_they_were_on_a_channel_each(studio: Studio, recorder: Recorder) -> None:
    sink: RecordingSink = await begun(recorder, "c1")
    for _ in range(100):
        sink.write(LOUD, SOFT)
    await sink.close()
    caller, ours = await studio.heard("c1")
    assert (caller, ours) == (alaw.encode(LOUD) * 100, alaw.encode(SOFT) * 100)
    [row] = studio.rows.rows.values()
    assert (row.seconds, row.began_at, row.delete_after) == (2.0, NOW, NOW + timedelta(days=180))


async def test_nothing_of_the_sound_stands_in_the_file_and_nobody_else_may_read_it(
    studio: Studio, recorder: Recorder
) -> None:
    await recorded(recorder, "call-of-13800138000")
    [file] = studio.files()
    assert alaw.encode(LOUD)[:16] not in file.read_bytes()
    assert "call-of" not in str(file.relative_to(studio.root))
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


async def test_what_is_paused_is_left_out_and_a_short_silence_and_an_entry_stand_there(
    studio: Studio, recorder: Recorder
) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 1)
    recording.pause()
    recording.pause()
    await spoken(recording, 3, caller=LOUD, ours=LOUD)
    recording.resume()
    await spoken(recording, 1)
    await recording.close()
    caller, ours = await studio.heard("c1")
    assert len(caller) == 8000 + 1600 + 8000
    assert max(loudness(caller[8000:9600]), loudness(ours[8000:9600])) <= 8
    assert loudness(caller[:8000]) > 7000
    assert loudness(caller[9600:]) > 7000
    assert (await studio.played("c1")).gaps == (Gap(1.0, "secret"),)
    assert [row.gaps for row in studio.rows.rows.values()] == [(Gap(1.0, "secret"),)]


async def test_a_session_that_begins_paused_leaves_no_mark(studio: Studio, recorder: Recorder) -> None:
    recording = await begun(recorder, "c1")
    recording.pause()
    await spoken(recording, 1)
    recording.resume()
    await spoken(recording, 1)
    await recording.close()
    assert (await studio.played("c1")).gaps == ()
    assert len((await studio.heard("c1"))[0]) == 8000


async def test_a_call_in_which_nothing_was_recorded_has_no_recording(studio: Studio, recorder: Recorder) -> None:
    recording = await begun(recorder, "c1")
    recording.pause()
    await spoken(recording, 1)
    await recording.close()
    assert (studio.files(), studio.rows.rows) == ([], {})


async def test_closing_twice_and_writing_afterwards_change_nothing(studio: Studio, recorder: Recorder) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 1)
    await asyncio.gather(recording.close(), recording.close())
    before = [each.read_bytes() for each in studio.files()]
    await spoken(recording, 1)
    recording.pause()
    await recording.close()
    assert [each.read_bytes() for each in studio.files()] == before


async def test_fifty_calls_at_once_are_kept_apart(studio: Studio, recorder: Recorder) -> None:
    sounds = [struct.pack("<160h", *([200 * (each + 1)] * 160)) for each in range(50)]
    recordings = [await begun(recorder, f"c{each}") for each in range(50)]
    for _ in range(50):
        for recording, sound in zip(recordings, sounds, strict=True):
            recording.write(sound, SILENT)
        await asyncio.sleep(0)
    await asyncio.gather(*(each.close() for each in recordings))
    for number, sound in enumerate(sounds):
        assert (await studio.heard(f"c{number}"))[0] == alaw.encode(sound) * 50


async def test_the_end_of_the_recorder_finishes_what_is_open(studio: Studio) -> None:
    recorder = studio.recorder()
    await spoken(await begun(recorder, "c1"), 1)
    await recorder.close()
    assert [each.suffix for each in studio.files()] == [".rec"]
    assert not [each for each in threading.enumerate() if each.name == "recorder"]
