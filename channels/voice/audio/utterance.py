"""One utterance of the caller, from its beginning to what was understood.

The recogniser is asked for its result already at a short pause (`_GUESS_S`), while the caller may still go on. If he
does, the attempt is dropped and a new one gets the whole utterance; if he does not, the time it takes is hidden in the
pause that has to be waited for anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from channels.voice.audio.recognition import Attempt, OnPartial, Recognising
from channels.voice.hearing.port import Recognised
from channels.voice.line import FRAME_S

_GUESS_S: Final = 0.3
_RESUMES: Final = 3
"""Frames of speech in a row that are more than a click."""


class Utterance:
    """``on_final`` is called once, unless it was dropped; None: the recogniser is away. Durations are counted in
    frames."""

    def __init__(
        self,
        recognising: Recognising,
        *,
        begun: Sequence[bytes],
        pause_s: float,
        longest_s: float,
        on_partial: OnPartial,
        on_final: Callable[[Recognised | None], None],
    ) -> None:
        self._recognising = recognising
        self._frames = list(begun)
        self._pause = max(round(pause_s / FRAME_S), 1)
        self._guess = min(round(_GUESS_S / FRAME_S), self._pause)
        self._longest = round(longest_s / FRAME_S)
        self._on_partial = on_partial
        self._on_final = on_final
        self._voiced = _RESUMES
        self._silent = 0
        self._ended = False
        self._attempt = self._begin()

    def frame(self, pcm: bytes, *, voiced: bool) -> None:
        """20 ms more."""
        if len(self._frames) >= self._longest:
            return
        self._frames.append(pcm)
        if not self._attempt.finishing:
            self._attempt.feed(pcm)
        self._voiced = self._voiced + 1 if voiced else 0
        if self._voiced >= _RESUMES:
            self._goes_on()
        else:
            self._silent += 1
        if self._silent >= self._guess:
            self._attempt.finish()
        if self._silent >= self._pause or len(self._frames) >= self._longest:
            self.end()

    def end(self) -> None:
        """The caller has stopped, or no more of his sound comes."""
        self._ended = True
        self._attempt.finish()
        self._settle()

    def drop(self) -> None:
        """Nobody waits for it any more."""
        self._attempt.cancel()

    def _goes_on(self) -> None:
        self._silent, self._ended = 0, False
        if self._attempt.finishing:
            self._attempt.cancel()
            self._attempt = self._begin()

    def _begin(self) -> Attempt:
        attempt = self._recognising.begin(on_partial=self._on_partial, on_done=self._settle)
        attempt.feed(b"".join(self._frames))
        return attempt

    def _settle(self) -> None:
        if self._ended and self._attempt.done:
            self._on_final(self._attempt.found)
