"""Both sides of the talk on one relay: what is said and how far it got, words, keys and silence. Nothing in here waits;
time comes from the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from channels.voice.audio.entries import KeyEntry
from channels.voice.relay import codec
from channels.voice.relay.alarm import Alarm
from channels.voice.relay.codec import Dtmf, Incoming, Interrupt, Played, Prompt, Speaking
from channels.voice.relay.saying import Pace, Saying
from channels.voice.session import Final as FinalWords
from channels.voice.session import Keys, Listening, Partial, Silence, Spoken, VoiceEvent

_TICK_S: Final = 0.1
_LATE_INTERRUPT_S: Final = 1.5
"""A key stops the voice at once; Twilio's word of it comes within so long after the key."""


class Talk:
    """``send`` takes messages for Twilio, ``emit`` what has happened."""

    def __init__(
        self,
        *,
        send: Callable[[str], None],
        emit: Callable[[VoiceEvent], None],
        sound: Callable[[str], str],
        pace: Pace,
    ) -> None:
        """``sound``: a sound's public address by its name."""
        self._send = send
        self._emit = emit
        self._sound = sound
        self._pace = pace
        self._listening: Listening | None = None
        self._saying: Saying | None = None
        self._texts: Sequence[str] = ()
        self._connected = True
        self._voice_on = False
        self._cap_s = 0.0
        self._late_interrupt_until = 0.0
        self._music = ""
        self._entry = KeyEntry()
        self._held = ""
        self._kept: list[str] = []
        self._when_quiet: Callable[[], None] | None = None
        self._over = Alarm(self._seems_over)
        self._silence = Alarm(self._silent)
        self._tick = Alarm(self._ticks)
        self._pause = Alarm(self._deliver)

    # --- what is told to do --------------------------------------------------------------------------------------

    def say(self, says: Sequence[str], listening: Listening | None) -> None:
        self._music, self._kept = "", []
        self._break_off()
        self._silence.cancel()
        self._listening = listening
        if not self._hears_words:
            self._held = ""
            self._pause.cancel()
        texts = tuple(text for text in says if text.strip())
        kept = bool(texts) and listening is not None and not listening.interruptible
        ahead = self._entry.listen(listening, self._now, kept=kept)
        if texts and not ahead and (kept or not self._entry.begun):
            self._texts, self._saying = texts, Saying(texts, began_s=self._now, pace=self._pace)
            self._start()
            return
        self._emit(Spoken(heard="", whole=not texts))  # who has keyed in the answer need not hear the question
        self._await_caller()
        self._entered(ahead)

    def play(self, sound: str) -> None:
        self._music = sound
        if self._saying is None:
            self._start_music()

    def when_quiet(self, do: Callable[[], None]) -> None:
        """``do`` is called once what is being said is over, at once where nothing is."""
        if self._saying is None:
            do()
        else:
            self._when_quiet = do

    def stop(self) -> None:
        """The relay ends: nothing is said, heard or awaited until `resume`."""
        self._connected, self._music, self._held = False, "", ""
        self._break_off()
        for alarm in (self._over, self._silence, self._tick, self._pause):
            alarm.cancel()

    def lose(self) -> None:
        """The socket broke: what was being said is cut off. What is said from now on is kept for `resume`."""
        self._connected = False
        self._break_off()
        self._silence.cancel()

    def resume(self) -> None:
        """There is a socket again."""
        self._connected = True
        if self._saying is not None:
            self._start()
            return
        if self._music:
            self._start_music()
        self._await_caller()

    # --- what comes ----------------------------------------------------------------------------------------------

    def received(self, message: Incoming) -> None:
        match message:
            case Prompt():
                self._prompted(message)
            case Dtmf():
                self._pressed(message.key)
            case Interrupt():
                self._interrupted(message)
            case Speaking(ours=True):
                self._voice(on=message.on)
            case Speaking():
                self._caller_speaks(on=message.on)
            case Played() if self._saying is not None:
                self._saying.played(message.words)

    def _prompted(self, prompt: Prompt) -> None:
        if not self._hears_words or self._entry.begun:  # tones are heard as words, too
            return
        if not prompt.last:
            self._caller_speaks(on=True)
            self._emit(Partial(text=_joined(self._held, prompt.words)))
            return
        if self._saying is not None and not self._interruptible:
            self._kept.append(prompt.words)
            return
        self._break_off()
        self._held = _joined(self._held, prompt.words)
        self._await_more()

    def _await_more(self) -> None:
        longer = (self._listening.speech_pause_s if self._listening else 0.0) - self._pace.relay_pause_s
        if longer > 0 and self._held:
            self._pause.set(longer)
        else:
            self._deliver()

    def _deliver(self) -> None:
        """The caller's turn is over."""
        self._pause.cancel()
        self._silence.cancel()
        words, self._held = self._held, ""
        self._emit(FinalWords(text=words))

    def _caller_speaks(self, *, on: bool) -> None:
        if self._listening is None or self._saying is not None:
            return
        if on and self._hears_words:
            self._pause.cancel()
            # Whatever becomes of it, the caller is not waited for without end.
            self._silence.set(self._listening.longest_speech_s + self._listening.silence_s)
        elif not on:
            if self._held:
                self._await_more()
            if self._silence.is_set:
                self._await_caller()

    def _pressed(self, key: str) -> None:
        ended = self._entry.press(key, self._now)
        if ended is None:
            return
        if self._held:
            self._deliver()
        if self._saying is not None and self._interruptible:
            self._late_interrupt_until = self._now + _LATE_INTERRUPT_S
            self._break_off()
        if self._silence.is_set:
            self._await_caller()
        self._entered(ended)

    def _entered(self, entries: Sequence[Keys]) -> None:
        if entries:
            self._break_off()
            self._silence.cancel()
        for keys in entries:
            self._emit(keys)
        self._tick.set(_TICK_S)

    def _ticks(self) -> None:
        ended = self._entry.tick(self._now)
        if ended:
            self._entered(ended)
        elif self._entry.begun or self._entry.answered(self._now):
            self._tick.set(_TICK_S)

    def _interrupted(self, interrupt: Interrupt) -> None:
        if self._now < self._late_interrupt_until:
            self._late_interrupt_until = 0.0
            return
        if self._saying is None or not self._interruptible:
            return
        heard = self._saying.heard_until(interrupt.heard, now_s=self._now)
        self._break_off(heard if heard is not None else self._saying.heard_at(self._now))
        self._await_caller()

    # --- how far the voice is ------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Sends what is to be said, and from now on it is being said."""
        if not self._connected:
            return
        self._voice_on = False
        self._saying = Saying(self._texts, began_s=self._now, pace=self._pace)
        for number, text in enumerate(self._texts, 1):
            self._send(codec.text(text, last=number == len(self._texts), interruptible=self._interruptible))
        self._texts = ()
        self._cap_s = self._now + 2 * self._saying.lasts_s + 5.0
        self._over.set(self._saying.lasts_s)

    def _start_music(self) -> None:
        if self._connected:
            self._send(codec.play(self._sound(self._music), loop=0, interruptible=False))

    def _voice(self, *, on: bool) -> None:
        if self._saying is None or (not on and not self._voice_on):
            return  # an end without a beginning belongs to what was said before
        self._voice_on = on
        if not on:
            self._over.set(self._pace.settle_s)

    def _seems_over(self) -> None:
        if self._saying is None:
            return
        if self._voice_on and self._now < self._cap_s:
            self._over.set(self._pace.settle_s)
            return
        text, self._saying = self._saying.text, None
        self._emit(Spoken(heard=text, whole=True))
        self._quiet()
        self._await_caller()
        self._entered(self._entry.release(self._now))
        kept, self._kept = self._kept, []
        for words in kept:
            self._emit(FinalWords(text=words))
            self._silence.cancel()

    def _break_off(self, heard: str | None = None) -> None:
        """What is being said is over, of which so much was heard."""
        if self._saying is None:
            return
        saying, self._saying = self._saying, None
        self._over.cancel()
        if self._texts:  # never sent
            self._texts, heard = (), ""
        self._emit(Spoken(heard=saying.heard_at(self._now) if heard is None else heard, whole=False))
        self._quiet()

    def _quiet(self) -> None:
        if self._music:
            self._start_music()
        do, self._when_quiet = self._when_quiet, None
        if do is not None:
            do()

    # --- silence -------------------------------------------------------------------------------------------------

    def _await_caller(self) -> None:
        if self._listening is not None and self._saying is None and self._connected:
            self._silence.set(self._listening.silence_s)

    def _silent(self) -> None:
        if self._entry.begun or self._held:
            self._await_caller()
        else:
            self._emit(Silence())

    @property
    def _hears_words(self) -> bool:
        return self._listening is not None and self._listening.speech and not self._listening.secret

    @property
    def _interruptible(self) -> bool:
        return self._listening is not None and self._listening.interruptible

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _joined(first: str, second: str) -> str:
    """Two parts of one turn. No blank between them: the words are Chinese."""
    return first + second
