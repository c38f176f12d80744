"""Recordings being made: sound goes to a thread that seals and writes it, and a call never waits for a disk."""

from __future__ import annotations

import asyncio
import base64
import secrets
import threading
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from hotline.call_store import CallMark, Calls, RecordingRow, RecordingRows
from hotline.errors import TemporaryError
from hotline.privacy.ciphers import FieldCipher, Place
from hotline.services.calls.sealed_sound import KEY_BYTES, RATE, SealedWriter

log = structlog.get_logger(__name__)

EVERY_S: Final = 0.5
"""What a process that dies loses at the most."""
BEHIND: Final = 1500
"""So many frames (30 s) waiting for the disk end a recording."""
PIECE_BYTES: Final = 16_000
"""PCM of one side in one piece of the file: a second."""
DISK_S: Final = 10.0
Encode = Callable[[bytes], bytes]
"""PCM, 16-bit little-endian, to A-law."""


def place_of(recording_id: str) -> Place:
    """Where the key of a recording stands."""
    return Place("recordings", "key", recording_id)


def folder_of(root: Path, began_at: datetime) -> Path:
    """The folder of the day (UTC) a recording began."""
    return root / f"{began_at:%Y%m%d}"


class CallRecording:
    """The sound of one call on its way to the file (`channels.voice.line.RecordingSink`). It begins with the first
    sound; where it cannot be kept it stops, and the call goes on."""

    def __init__(self, recorder: Recorder, call_id: str, recording_id: str, writer: SealedWriter) -> None:
        self.call_id = call_id
        self.id = recording_id
        self._recorder = recorder
        self._writer = writer
        self._waiting: deque[tuple[bytes, bytes] | str] = deque()
        self._begun = self._paused = self._ending = self._stopped = self._broken = False
        self._written = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None

    def write(self, caller: bytes, ours: bytes) -> None:
        """20 ms of both sides, PCM."""
        if self._paused or self._stopped or self._ending:
            return
        self._begun = True
        self._waiting.append((caller, ours))
        if len(self._waiting) > BEHIND:
            self._stop("behind")

    def pause(self, reason: str = "secret") -> None:
        """What follows is not kept; a mark stands where it was left out, if there was anything before."""
        if self._begun and not (self._paused or self._stopped or self._ending):
            self._waiting.append(reason)
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    async def close(self) -> None:
        """The recording is complete. Safe to repeat."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._ending = True
        self._recorder.wake()
        try:
            await asyncio.wait_for(self._written.wait(), DISK_S)
        except TimeoutError:
            log.warning("recording.unfinished", call_id=self.call_id, reason="disk")
            return
        if not self._broken:
            await self._recorder.ended(self.id, self._writer)

    # --- in the recorder's thread

    def work(self) -> bool:
        """What waits is written, and at the end the file is finished, or gone where there is nothing in it. True when
        there is nothing left to do."""
        ending = self._ending
        if not self._broken:
            try:
                self._write_waiting(self._writer)
                if ending:
                    _finish(self._writer)
            except OSError as error:
                self._broken = True
                self._writer.leave()
                self._stop(_reason(error))
        if ending:
            self._recorder.in_loop(self._written.set)
        return ending

    def _write_waiting(self, writer: SealedWriter) -> None:
        caller, ours, encode = bytearray(), bytearray(), self._recorder.encode
        while self._waiting:
            taken = self._waiting.popleft()
            if not isinstance(taken, str):
                caller += taken[0]
                ours += taken[1]
            if caller and (isinstance(taken, str) or not self._waiting or len(caller) >= PIECE_BYTES):
                writer.sound(encode(bytes(caller)), encode(bytes(ours)))
                caller.clear()
                ours.clear()
            if isinstance(taken, str):
                writer.gap(taken)

    def _stop(self, reason: str) -> None:
        """Nothing more is kept. From either side."""
        if not self._stopped:
            self._stopped = True
            self._waiting.clear()
            self._recorder.in_loop(lambda: self._recorder.stopped(self.call_id, reason))


def _reason(error: OSError | TemporaryError) -> str:
    return getattr(error, "strerror", "") or type(error).__name__


def _finish(writer: SealedWriter) -> None:
    if writer.samples:
        writer.finish()
    else:
        writer.discard()


class Recorder:
    """Makes the recordings of one process. `close` it at the end."""

    def __init__(
        self,
        root: Path,
        *,
        rows: RecordingRows,
        calls: Calls,
        cipher: FieldCipher,
        keep: timedelta,
        clock: Callable[[], datetime],
        encode: Encode,
    ) -> None:
        """``keep``: recordings are deleted so long after they began."""
        self.encode = encode
        self._root = root
        self._rows = rows
        self._calls = calls
        self._cipher = cipher
        self._keep = keep
        self._clock = clock
        self._lock = threading.Lock()
        self._open: list[CallRecording] = []
        self._woken = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, call_id: str) -> CallRecording | None:
        """Where the sound of the call is to go. Never raises; None where it cannot be kept, or is kept by somebody else
        already: the log says why, and the caller must not be told that the call is recorded."""
        self._loop = asyncio.get_running_loop()
        try:
            return await self._begun(call_id)
        except (OSError, TemporaryError) as error:
            log.error("recording.failed", call_id=call_id, reason=_reason(error))
        return None

    async def close(self) -> None:
        """Every recording is complete."""
        with self._lock:
            still_open = tuple(self._open)
        await asyncio.gather(*(recording.close() for recording in still_open))
        self._closing = True
        self.wake()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, DISK_S)
        await asyncio.gather(*self._tasks)

    async def _begun(self, call_id: str) -> CallRecording | None:
        recording_id, key, now = str(uuid.uuid4()), secrets.token_bytes(KEY_BYTES), self._clock()
        sealed = self._cipher.seal(base64.b64encode(key).decode("ascii"), place_of(recording_id))
        row = RecordingRow(id=recording_id, call_id=call_id, key=sealed, began_at=now, delete_after=now + self._keep)
        if not await self._rows.begin(row):
            log.warning("recording.refused", call_id=call_id, reason="there is one already")
            return None
        opening = asyncio.to_thread(SealedWriter, folder_of(self._root, now), recording_id, key)
        try:
            writer = await asyncio.wait_for(opening, DISK_S)
        except OSError:
            await self._rows.drop([recording_id])
            raise
        recording = CallRecording(self, call_id, recording_id, writer)
        with self._lock:
            self._open.append(recording)
        self._run()
        return recording

    # --- for its recordings

    def wake(self) -> None:
        self._woken.set()

    def in_loop(self, call: Callable[[], object]) -> None:
        """From any thread; nothing where the loop is closed already."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)

    def stopped(self, call_id: str, reason: str) -> None:
        """A recording could not go on, which is noted of its call."""
        log.error("recording.failed", call_id=call_id, reason=reason)
        task = asyncio.get_running_loop().create_task(self._note(call_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ended(self, recording_id: str, writer: SealedWriter) -> None:
        """What has been finished is on record; without an answer of the database the file speaks for itself."""
        try:
            if writer.samples:
                await self._rows.finish(recording_id, seconds=writer.samples / RATE, gaps=writer.gaps)
            else:
                await self._rows.drop([recording_id])
        except TemporaryError as error:
            log.warning("recording.not_noted", reason=str(error))

    async def _note(self, call_id: str) -> None:
        try:
            await self._calls.mark(call_id, CallMark.RECORDING_PAUSED, why="failed")
        except TemporaryError as error:
            log.warning("recording.not_noted", reason=str(error))

    # --- the thread

    def _run(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            self._woken.wait(EVERY_S)
            self._woken.clear()
            with self._lock:
                now_open = tuple(self._open)
            done = [recording for recording in now_open if recording.work()]
            with self._lock:
                self._open = [recording for recording in self._open if recording not in done]
            if self._closing:
                return
