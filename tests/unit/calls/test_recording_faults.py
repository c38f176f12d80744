"""Recordings after a crash, when somebody has changed them, and when the disk or the database refuses."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from channels.voice.audio import alaw
from hotline.call_store import CallMark
from hotline.privacy.ciphers import FieldCipher
from hotline.services.calls import recorder as recorder_module
from hotline.services.calls.recorder import Recorder
from hotline.services.calls.recordings import RecordingRefused
from hotline.services.calls.sealed_sound import MAGIC, Damaged, SealedReader, SealedWriter
from tests.unit.calls.studio import (
    KEY,
    LOUD,
    PIECE,
    SILENT,
    SOFT,
    Studio,
    begun,
    recorded,
    sides,
    spoken,
    until,
)

pytestmark = pytest.mark.anyio


async def test_a_process_that_died_leaves_all_but_its_last_moment(studio: Studio, recorder: Recorder) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 3)
    await until(lambda: bool(studio.files()) and studio.files()[0].stat().st_size > 3 * 16000)
    [file] = studio.files()
    assert file.suffix == ".part"
    file.write_bytes(file.read_bytes()[:-1000])  # the last piece was being written
    played = await studio.played("c1")
    assert not played.finished
    caller, _ = await studio.heard("c1")
    assert 1 <= len(caller) / 8000 <= 2.98
    assert caller == (alaw.encode(LOUD) * 150)[: len(caller)]


@pytest.mark.parametrize("kept", [len(MAGIC), len(MAGIC) + 3, len(MAGIC) + 5, len(MAGIC) + 100])
async def test_a_file_broken_off_in_its_first_piece_is_an_empty_recording(
    studio: Studio, recorder: Recorder, kept: int
) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 1)
    await until(lambda: studio.files()[0].stat().st_size > 16000)
    [file] = studio.files()
    file.write_bytes(file.read_bytes()[:kept])
    assert await studio.heard("c1") == (b"", b"")


async def test_what_is_being_said_now_can_be_heard_up_to_now(studio: Studio, recorder: Recorder) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 1)
    await until(lambda: bool(studio.files()) and studio.files()[0].stat().st_size > 16000)
    played = await studio.played("c1")
    await spoken(recording, 1)
    await recording.close()
    wav = b"".join([block async for block in played.content])
    assert len(wav) == played.size
    assert len(sides(wav)[0]) == 8000


async def changed(studio: Studio, change: Callable[[bytes], bytes]) -> str:
    """How a recording is refused whose file was changed so."""
    [file] = studio.files()
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(RecordingRefused) as refused:
        await studio.played("c1")
    return refused.value.code


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file[:500] + bytes([file[500] ^ 1]) + file[501:],
        lambda file: file[: len(MAGIC) + PIECE],
        lambda file: file[: len(MAGIC)] + file[len(MAGIC) + PIECE :],
        lambda file: (
            file[: len(MAGIC)]
            + file[len(MAGIC) + PIECE : len(MAGIC) + 2 * PIECE]
            + file[len(MAGIC) : len(MAGIC) + PIECE]
            + file[len(MAGIC) + 2 * PIECE :]
        ),
        lambda file: file[: len(MAGIC)] + b"G" + file[len(MAGIC) + 1 :],
        lambda file: file[: len(MAGIC)] + b"?" + file[len(MAGIC) + 1 :],
        lambda file: file + b"more",
        lambda file: file[:-1],
        lambda _: b"",
        lambda _: b"RIFF....WAVE",
    ],
    ids=["a bit", "cut off", "left out", "moved", "kind", "no kind", "longer", "end cut", "empty", "another file"],
)
async def test_a_recording_that_was_changed_is_not_played(
    studio: Studio, recorder: Recorder, change: Callable[[bytes], bytes]
) -> None:
    await recorded(recorder)
    assert await changed(studio, change) == "unreadable"
    assert studio.trail.entries == []


async def test_a_finished_recording_cut_off_and_called_unfinished_is_not_played(
    studio: Studio, recorder: Recorder
) -> None:
    await recorded(recorder)
    [file] = studio.files()
    file.write_bytes(file.read_bytes()[: len(MAGIC) + PIECE])
    file.rename(file.with_suffix(".part"))
    with pytest.raises(RecordingRefused, match="unreadable"):
        await studio.played("c1")


async def test_one_recording_in_the_place_of_another_is_not_played(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder, "c1")
    await recorded(recorder, "c2")
    first, second = studio.files()
    first.write_bytes(second.read_bytes())
    codes = []
    for call_id in ("c1", "c2"):
        try:
            await studio.played(call_id)
        except RecordingRefused as refused:
            codes.append(refused.code)
    assert codes == ["unreadable"]


async def test_another_key_reads_nothing(studio: Studio, recorder: Recorder) -> None:
    await recorded(recorder)
    other = FieldCipher({1: bytes(32)}, cipher="aes-256-gcm")
    with pytest.raises(RecordingRefused, match="unreadable"):
        await replace(studio, cipher=other).played("c1")


def test_a_file_under_another_key_is_damaged(tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path, "r1", KEY)
    writer.sound(b"\xd5" * 80, b"\xd5" * 80)
    writer.finish()
    with pytest.raises(Damaged):
        SealedReader(tmp_path, "r1", bytes(32)).contents(whole=True)
    with pytest.raises(Damaged):
        list(SealedReader(tmp_path, "r1", KEY).sound(81))


async def test_a_call_that_is_recorded_already_is_not_recorded_again(studio: Studio, recorder: Recorder) -> None:
    other = studio.recorder()
    first = await begun(recorder, "c1")
    assert await other.begin("c1") is None
    await spoken(first, 1)
    await first.close()
    assert await recorder.begin("c1") is None
    await other.close()
    assert len(studio.files()) == 1
    assert (await studio.heard("c1"))[0] == alaw.encode(LOUD) * 50


async def test_two_processes_that_write_beside_each_other_do_not_mix(studio: Studio, recorder: Recorder) -> None:
    other = studio.recorder()
    first, second = await begun(recorder, "c1"), await begun(other, "c2")
    for _ in range(100):
        first.write(LOUD, SILENT)
        second.write(SOFT, SILENT)
        await asyncio.sleep(0)
    await asyncio.gather(first.close(), second.close())
    await other.close()
    assert (await studio.heard("c1"))[0] == alaw.encode(LOUD) * 100
    assert (await studio.heard("c2"))[0] == alaw.encode(SOFT) * 100


def test_two_writers_of_one_file_are_not_possible(tmp_path: Path) -> None:
    writer = SealedWriter(tmp_path, "r1", KEY)
    with pytest.raises(FileExistsError):
        SealedWriter(tmp_path, "r1", KEY)
    writer.discard()
    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_ends_the_recording_and_not_the_call(
    studio: Studio, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = await begun(recorder, "c1")
    await spoken(recording, 1)
    await until(lambda: studio.files()[0].stat().st_size > 16000)

    def full(file: int, data: bytes) -> int:
        if len(data) > 100:  # half of a piece still fits
            return written(file, data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    written = os.write
    monkeypatch.setattr(os, "write", full)
    with structlog.testing.capture_logs() as logs:
        await spoken(recording, 1)
        await until(lambda: bool(studio.calls.marks))
        await spoken(recording, 1)
        await recording.close()
    monkeypatch.undo()
    assert studio.calls.marks == [("c1", CallMark.RECORDING_PAUSED, {"why": "failed"})]
    assert [(each["event"], each["reason"]) for each in logs] == [("recording.failed", "No space left on device")]
    assert (await studio.heard("c1"))[0] == alaw.encode(LOUD) * 50


async def test_a_folder_that_cannot_be_made_means_no_recording(studio: Studio) -> None:
    studio.root.write_text("a file")
    recorder = studio.recorder()
    with structlog.testing.capture_logs() as logs:
        assert await recorder.begin("c1") is None
    await recorder.close()
    assert studio.rows.rows == {}
    assert [each["event"] for each in logs] == ["recording.failed"]


async def test_a_database_that_does_not_answer_means_no_recording_and_at_the_end_a_readable_one(
    studio: Studio, recorder: Recorder
) -> None:
    recording = await begun(recorder, "c2")
    await spoken(recording, 1)
    studio.rows.down = True
    assert await recorder.begin("c1") is None
    await recording.close()
    studio.rows.down = False
    assert [(row.call_id, row.seconds) for row in studio.rows.rows.values()] == [("c2", None)]
    assert (await studio.played("c2")).finished


async def test_a_disk_that_hangs_blocks_no_call_and_fills_no_memory(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "BEHIND", 100)
    monkeypatch.setattr(recorder_module, "DISK_S", 0.2)
    goes_on = threading.Event()

    def hangs(pcm: bytes) -> bytes:
        goes_on.wait(5)
        return alaw.encode(pcm)

    recorder = studio.recorder(encode=hangs)
    recording = await begun(recorder, "c1")
    recording.write(LOUD, SOFT)
    await asyncio.sleep(0.1)
    began = time.perf_counter()
    for _ in range(1000):
        recording.write(LOUD, SOFT)
    assert time.perf_counter() - began < 0.1
    await until(lambda: bool(studio.calls.marks))
    await recording.close()
    goes_on.set()
    await recorder.close()
