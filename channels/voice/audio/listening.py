"""The caller's side of the call: where his speech begins, where it ends, and what was understood."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import structlog

from channels.voice import session
from channels.voice.audio.activity import Activity
from channels.voice.audio.level import Echo, rms
from channels.voice.audio.recognition import Recognising
from channels.voice.audio.utterance import Utterance
from channels.voice.hearing.port import Recognised, Recogniser
from channels.voice.line import FRAME_BYTES, FRAME_S
from channels.voice.session import Listening, Partial

log = structlog.get_logger(__name__)

Heard: TypeAlias = Callable[[Partial | session.Final], None]

START_S: Final = 0.12
"""So much speech begins an utterance; less is a click or a cough."""
BARGE_IN_S: Final = 0.2
"""So much is needed while we speak."""
_GAP: Final = 5
"""Frames without speech that do not break a beginning."""
_PRE_ROLL: Final = 15
"""Frames before the beginning that the recogniser gets."""
_STALLED_S: Final = 1.0
"""Without a frame for so long the caller counts as silent: some lines send nothing in silence."""
_AWAY_S: Final = 30.0
_SILENCE: Final = bytes(FRAME_BYTES)


class Ear:
    """Of one call. ``recogniser`` None: nothing is ever heard."""

    def __init__(
        self, *, recogniser: Recogniser | None, activity: Callable[[], Activity], hints: Sequence[str], on_heard: Heard
    ) -> None:
        self._recognising = Recognising(recogniser, hints) if recogniser is not None else None
        self._activity = activity() if recogniser is not None else None
        self._on_heard = on_heard
        self._echo = Echo()
        self._before: deque[tuple[bytes, bool]] = deque(maxlen=_PRE_ROLL + round((BARGE_IN_S * 2) / FRAME_S) + _GAP)
        self._utterance: Utterance | None = None
        self._rules = Listening()
        self._voiced = 0
        self._gap = 0
        self._since = 0
        self._away_until = 0.0
        self._is_away = False
        self._last_frame_at = 0.0
        self._open = False

    @property
    def hears(self) -> bool:
        """False: there is no recogniser, or it failed within the last 30 s."""
        return self._recognising is not None and _now() >= self._away_until

    @property
    def busy(self) -> bool:
        """The caller speaks, or what he said is being recognised."""
        return self._utterance is not None or self._voiced >= _GAP

    def attend(self, rules: Listening) -> None:
        """New rules; what is under way is dropped."""
        self.drop()
        self._rules = rules

    def forget(self) -> None:
        """Nothing heard so far may be used any more."""
        self.drop()
        self._before.clear()

    def overhear(self, pcm: bytes, *, played: float) -> None:
        """20 ms that are not listened to, but may turn out to be the beginning of something."""
        self._open = False
        self._keep(pcm, played)

    def frame(self, pcm: bytes, *, played: float, needed_s: float) -> bool:
        """20 ms; ``played``: the highest level of ours that may come back now. True where with this frame the caller
        has spoken for ``needed_s``: an utterance has begun."""
        self._last_frame_at = _now()
        if not self._open and self._activity is not None:
            self._activity.reset()
        self._open = True
        floor = self._keep(pcm, played)
        voiced = self._activity is not None and self._activity.speech(pcm, floor=floor)
        if self._utterance is not None:
            self._utterance.frame(pcm, voiced=voiced)
            return False
        return self._begins(voiced, round(needed_s / FRAME_S))

    def tick(self) -> None:
        """An utterance ends where frames have stopped coming."""
        if self._utterance is not None and _now() - self._last_frame_at > self._rules.speech_pause_s + _STALLED_S:
            self._utterance.end()

    def drop(self) -> None:
        """What the caller is saying means nothing any more."""
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            utterance.drop()
        self._voiced = self._gap = self._since = 0

    async def close(self) -> None:
        self.drop()
        if self._recognising is not None:
            await self._recognising.close()

    def _keep(self, pcm: bytes, played: float) -> float:
        loudness = rms(pcm)
        floor = self._echo.floor(loudness, played)
        self._before.append((pcm, loudness >= floor))
        return floor

    def _begun(self) -> list[bytes]:
        """From 300 ms before the beginning; of those without our own sound."""
        before = list(self._before)
        start = max(len(before) - self._since, 0)
        pre_roll = [pcm if is_his else _SILENCE for pcm, is_his in before[max(start - _PRE_ROLL, 0) : start]]
        return pre_roll + [pcm for pcm, _ in before[start:]]

    def _begins(self, voiced: bool, needed: int) -> bool:
        if voiced:
            self._voiced, self._gap = self._voiced + 1, 0
        else:
            self._gap += 1
        if self._gap > _GAP or not self._voiced:
            self._voiced = self._since = 0
            return False
        self._since += 1
        if self._voiced < needed or self._recognising is None:
            return False
        begun = self._begun()
        self._voiced = self._gap = self._since = 0
        self._utterance = Utterance(
            self._recognising,
            begun=begun,
            pause_s=self._rules.speech_pause_s,
            longest_s=self._rules.longest_speech_s,
            on_partial=lambda text: self._on_heard(Partial(text=text)),
            on_final=self._understood,
        )
        return True

    def _understood(self, found: Recognised | None) -> None:
        self._utterance = None
        if found is None:
            self._away_until = _now() + _AWAY_S
            if not self._is_away:
                log.warning("voice.recogniser.away")
            self._is_away = True
            self._on_heard(session.Final(text=""))
            return
        if self._is_away:
            log.info("voice.recogniser.back")
        self._is_away = False
        self._on_heard(session.Final(text=found.text.strip(), confidence=found.confidence))


def _now() -> float:
    return asyncio.get_running_loop().time()
