"""What the caller does: words, keys, silence."""

from __future__ import annotations

from channels.voice import acts, speech
from channels.voice.acts import Act
from channels.voice.call_state import CallState
from channels.voice.dialogue.parts import Phase
from channels.voice.dialogue.proving import Proving
from channels.voice.session import Final as Words
from channels.voice.session import Keys, Silence
from channels.voice.wording import wording
from hotline.call_store import CallMark


class CallerSide(Proving):
    """Decides what a word or a key means where the call stands."""

    async def _did(self, event: Words | Keys | Silence) -> None:
        if self._phase in (Phase.JOINED, Phase.OVER):
            return
        if not isinstance(event, Silence):
            self._strikes.ever_heard = True
        if self._phase is Phase.PROVING:
            await self._proves(event)
        elif isinstance(event, Keys):
            await self._pressed(event.keys)
        elif isinstance(event, Words):
            await self._said(event)
        else:
            await self._silent()

    async def _pressed(self, keys: str) -> None:
        self._strikes.no_match = 0
        words = wording()
        if self._unsure and keys == acts.YES_KEY:
            await self._ask(Act(words=self._unsure))
        elif self._phase is Phase.QUEUED and keys in words.waiting_keys:
            await self._ask(Act(words=words.waiting_keys[keys]))
        elif keys == words.text_key and self._at.page and self._can_text():
            await self._text()
        else:
            await self._ask(Act(digits=keys))

    async def _said(self, event: Words) -> None:
        words, said = wording(), acts.plain(event.text)
        if not said:
            await self._not_understood()
            return
        self._strikes.no_match = 0
        unsure, self._unsure = self._unsure, ""
        if unsure and said in words.yes_words:
            await (self._confirm(unsure) if _is_low(event) else self._ask(Act(words=unsure)))
        elif unsure and said in words.no_words:
            await self._listen_to(words.no_match[0])
        elif said in words.patient_words:
            await self._slow_down()
        elif said in words.text_words and self._can_text():
            await self._text()
        elif self._is_unsure(event, said):
            await self._confirm(event.text)
        else:
            await self._ask(Act(words=event.text, confidence=event.confidence))

    async def _confirm(self, text: str) -> None:
        """Only a clear yes, or its key, makes it a question: short words are what is misheard most."""
        self._unsure = text
        await self._listen_to(speech.speakable(wording().confirm.format(text=text)))

    def _is_unsure(self, event: Words, said: str) -> bool:
        known = said in wording().person_words or said in wording().go_on_words
        return self._phase is Phase.BOT and not known and _is_low(event)

    async def _not_understood(self) -> None:
        self._strikes.no_match += 1
        self._mark(CallMark.NO_MATCH)
        words = wording()
        if self._phase is not Phase.BOT:
            return
        if not self._session.hears:
            self._mark(CallMark.SPEECH_AWAY)
            await self._menu(words.keys_alone)
        elif self._strikes.no_match < len(words.no_match):
            text = words.no_match[self._strikes.no_match - 1]
            await (self._menu(text) if "{menu}" in text else self._listen_to(text))
        else:
            self._strikes.no_match = 0
            await self._send(acts.wants_person(self._caller, self._at.turn), first=(words.no_match[-1],))

    async def _silent(self) -> None:
        words = wording()
        if self._phase is not Phase.BOT or self._waiting.turn >= 0:
            return
        self._mark(CallMark.NO_INPUT)
        if self._agent.is_over:
            await self._goodbye(words.no_more)
        elif self._at.silence + 1 < len(words.silence):
            await self._ask(Act())
        elif self._strikes.ever_heard:
            await self._send(acts.wants_person(self._caller, self._at.turn))
        else:
            await self._goodbye(words.no_voice_at_all)

    async def _slow_down(self) -> None:
        self._patient = True
        await self._say_step(self._replanned(first=(wording().patient,)))

    async def _menu(self, text: str) -> None:
        self._at = CallState(turn=self._at.turn, menu=1)
        await self._listen_to(text.format(menu=wording().menu))


def _is_low(event: Words) -> bool:
    return event.confidence is not None and event.confidence < acts.UNSURE_BELOW
