"""What the caller does, under the rules in force: keys, speech, silence, breaking in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from channels.voice import session
from channels.voice.audio.activity import Activity
from channels.voice.audio.entries import KeyEntry
from channels.voice.audio.event_queue import EventQueue
from channels.voice.audio.listening import BARGE_IN_S, START_S, Ear
from channels.voice.audio.speaking import Words
from channels.voice.hearing.port import Recogniser
from channels.voice.session import Keys, Listening, Partial, Silence, Spoken


class Attention:
    """Of one call. ``interrupt`` ends words that the caller breaks into."""

    def __init__(
        self,
        *,
        events: EventQueue,
        recogniser: Recogniser | None,
        activity: Callable[[], Activity],
        hints: Sequence[str],
        interrupt: Callable[[Words], Awaitable[None]],
    ) -> None:
        self._events = events
        self._interrupt = interrupt
        self._ear = Ear(recogniser=recogniser, activity=activity, hints=hints, on_heard=self._heard)
        self._entry = KeyEntry()
        self._rules: Listening | None = None
        self._silence_at: float | None = None

    @property
    def hears(self) -> bool:
        return self._ear.hears

    def suspend(self) -> None:
        """Until the next rules: keys wait for them, all else means nothing."""
        self._ear.drop()
        self._entry.keep()
        self._rules = self._silence_at = None

    def attend(self, rules: Listening | None, *, kept: bool = False) -> tuple[Keys, ...] | None:
        """New rules. What has been typed ahead: None: nothing. ``kept``: keys wait until the words are over."""
        keys = self._entry.listen(rules, _now(), kept=kept)
        self._rules = rules
        self._ear.attend(rules or Listening())
        return keys if keys or self._entry.begun else None

    def forget(self) -> None:
        """Nothing that was heard or keyed in so far counts or is used."""
        self._ear.forget()
        self._entry.drop()
        self._silence_at = None

    def forget_sound(self) -> None:
        """What was heard so far is not used: it is a secret, or was before one."""
        self._ear.forget()

    def spoken(self, spoken: Spoken) -> None:
        """The words are over: silence counts from now on, and the keys that were kept."""
        self._events.put(spoken)
        if self._rules is not None:
            self.resume()
            self.emit(self._entry.release(_now()))

    def resume(self) -> None:
        """Silence counts from now on."""
        self._silence_at = _now() + self._rules.silence_s if self._rules is not None else None

    def emit(self, keys: Iterable[Keys]) -> None:
        for entry in keys:
            self._events.put(entry)
            self.resume()

    async def key(self, key: str, *, words: Words | None) -> None:
        """A key wins over speech, and stops ``words``."""
        keys = self._entry.press(key, _now())
        if keys is None or self._rules is None:
            return
        self._ear.drop()
        if words is not None and self._rules.interruptible:
            await self._interrupt(words)
        self.emit(keys)

    async def frame(self, pcm: bytes, *, played: float, words: Words | None) -> None:
        """20 ms of the caller's; ``played``: the highest level of ours that may come back now."""
        if not self._listens(words):
            if self._rules is None or not self._rules.secret:
                self._ear.overhear(pcm, played=played)
            return
        begun = self._ear.frame(pcm, played=played, needed_s=START_S if words is None else BARGE_IN_S)
        if begun and words is not None:
            await self._interrupt(words)

    def tick(self) -> None:
        """Time has passed."""
        now = _now()
        self.emit(self._entry.tick(now))
        self._ear.tick()
        busy = self._ear.busy or self._entry.begun or self._entry.answered(now)
        if self._silence_at is not None and now >= self._silence_at and not busy:
            self._silence_at = None
            self._events.put(Silence())

    async def close(self) -> None:
        self._rules = self._silence_at = None
        await self._ear.close()

    def _listens(self, words: Words | None) -> bool:
        rules = self._rules
        if rules is None or rules.secret or not rules.speech or not self._ear.hears:
            return False
        if words is not None and not rules.interruptible:
            return False
        return not self._entry.begun and not self._entry.answered(_now())

    def _heard(self, heard: Partial | session.Final) -> None:
        self._events.put(heard)
        if isinstance(heard, session.Final):
            self.resume()


def _now() -> float:
    return asyncio.get_running_loop().time()
