"""What is being said to the caller, and how much of it he has heard. No clock and no socket in here."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BREATH_CHARACTERS: Final = 2
"""A breath between two pieces lasts as long as so many characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the voice is believed to be where Twilio does not tell, and how long is waited for what should come."""

    characters_per_s: float = 4.5
    lead_s: float = 0.35
    """From the first words sent to the first sound; measured by others at 0.32-0.34 s."""
    settle_s: float = 0.4
    """The voice has been quiet for so long: it is over and no pause between clauses."""
    relay_pause_s: float = 0.6
    """The pause after which Twilio takes a turn for ended."""
    adrift_s: float = 8.0
    """A call whose socket broke comes back within so long, or it is lost."""
    back_s: float = 10.0
    """A call comes back from an agent's telephone within so long, or it is lost."""
    connect_s: float = 15.0
    """What ringing an agent's telephone takes besides the ringing."""
    end_s: float = 5.0
    """Twilio ends a relay within so long after it was told to."""
    joined_s: float = 7200.0
    """The longest that a caller talks with an agent."""


class Saying:
    """Some pieces of text said one after the other since ``began_s`` (any clock in seconds)."""

    def __init__(self, says: Sequence[str], *, began_s: float, pace: Pace) -> None:
        self.text = "".join(says)
        self.told = False
        """Twilio has told at least once how far the voice is."""
        self._began_s = began_s
        self._pace = pace
        self._pieces = len(says)
        # Letters and figures alone, each with where it ends in the text: Twilio gives words back with other blanks.
        self._letters = [(char, number + 1) for number, char in enumerate(self.text) if _counts(char)]
        self._plain = "".join(char for char, _ in self._letters)
        self._played = 0

    @property
    def lasts_s(self) -> float:
        """How long saying it takes, as far as can be estimated."""
        characters = len(self._plain) + BREATH_CHARACTERS * max(0, self._pieces - 1)
        return self._pace.lead_s + characters / self._pace.characters_per_s

    def played(self, words: str) -> None:
        """The caller has heard these words, which come next or are none of this."""
        found = self._find(words, since=self._played)
        if found is not None:
            self.told, self._played = True, max(self._played, found)

    def heard_at(self, now_s: float) -> str:
        """What the caller has heard at this moment: what Twilio told, else by the time that has passed."""
        if self.told:
            return self._upto(self._played)
        spoken_s = now_s - self._began_s - self._pace.lead_s
        return self._upto(int(spoken_s * self._pace.characters_per_s))

    def heard_until(self, words: str, *, now_s: float) -> str | None:
        """What the caller has heard when he broke in at the end of ``words``, a clause of this; None when it is no
        part of this.

        Twilio reports a clause as played before it says that it was broken off there, so the search begins a clause
        back."""
        wanted = _plain(words)
        if not wanted:
            return self._upto(self._played) if self.told else self.heard_at(now_s)
        found = self._find(words, since=max(0, self._played - len(wanted)))
        return None if found is None else self._upto(max(found, self._played))

    def _find(self, words: str, *, since: int) -> int | None:
        """How many letters of this are over at the end of ``words``, looked for from the letter ``since`` on."""
        wanted = _plain(words)
        start = self._plain.find(wanted, since) if wanted else -1
        return start + len(wanted) if start >= 0 else None

    def _upto(self, letters: int) -> str:
        if letters >= len(self._letters):
            return self.text
        return self.text[: self._letters[letters - 1][1]] if letters > 0 else ""


def _plain(words: str) -> str:
    return "".join(char for char in words if _counts(char))


def _counts(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN"
