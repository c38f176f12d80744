"""Keys into entries: pure, told the time, without a timer. For every line that brings keys one by one."""

from __future__ import annotations

from typing import Final

from channels.voice.session import Keys, Listening

_COUNTED: Final = frozenset("0123456789*#")
_HOLD_S: Final = 2.0
"""Keys that follow an entry wait so long for what is asked next; then they belong to the same question."""
_STRAY_S: Final = 3.0
"""So long after an entry of full length its finishing key means nothing: many people press it all the same."""
_MOST_AHEAD: Final = 64


class KeyEntry:
    """Collects the keys of one call. No key is lost between two questions: what is typed ahead counts for the next
    one, except from a secret question into one that is not."""

    def __init__(self) -> None:
        self._rules: Listening | None = None
        self._keys = ""
        self._due: float | None = None
        self._ahead = ""
        self._kept = False
        self._held_until = 0.0
        self._stray = ""
        self._stray_until = 0.0

    @property
    def begun(self) -> bool:
        """An entry has begun and has not ended."""
        return bool(self._keys)

    def answered(self, now: float) -> bool:
        """An entry has just been handed over and what is asked next is still to come."""
        return now < self._held_until

    def listen(self, rules: Listening | None, now: float, *, kept: bool = False) -> tuple[Keys, ...]:
        """New rules. ``kept``: keys wait for `release`. An entry that has begun goes on where the rules of entries are
        the same."""
        if not _same(self._rules, rules):
            self._keys, self._due = "", None
        if rules is None or not rules.keys or (self._rules is not None and self._rules.secret and not rules.secret):
            self._ahead = ""
        self._rules, self._kept, self._held_until = rules, kept, 0.0
        return self._take_ahead(now)

    def keep(self) -> None:
        """Keys wait for `release` or for new rules."""
        self._kept = True

    def release(self, now: float) -> tuple[Keys, ...]:
        """Keys that were kept count now."""
        self._kept = False
        if self.begun and self._rules is not None:
            self._due = now + self._rules.key_pause_s
        return self._take_ahead(now)

    def press(self, key: str, now: float) -> tuple[Keys, ...] | None:
        """What the key completes, mostly nothing. None: the key means nothing at present."""
        if self._rules is None or not self._rules.keys or key not in _COUNTED:
            return None
        if not self._ahead and self._is_stray(key, now):
            return None
        if len(self._ahead) < _MOST_AHEAD:
            self._ahead += key
        return self._take_ahead(now)

    def tick(self, now: float) -> tuple[Keys, ...]:
        """What time has completed."""
        if self._due is not None and now >= self._due and not self._kept:
            return self._end(now)
        return self._take_ahead(now)

    def drop(self) -> None:
        """What was keyed in so far means nothing any more."""
        self._keys, self._due, self._ahead, self._held_until = "", None, "", 0.0

    def _take_ahead(self, now: float) -> tuple[Keys, ...]:
        ended: tuple[Keys, ...] = ()
        while self._ahead and not self._kept and now >= self._held_until:
            key, self._ahead = self._ahead[0], self._ahead[1:]
            ended += self._take(key, now)
        return ended

    def _take(self, key: str, now: float) -> tuple[Keys, ...]:
        if self._is_stray(key, now) or self._rules is None:
            return ()
        if key == self._rules.finish_key:
            return self._end(now, by_finish_key=True)
        self._keys += key
        self._due = now + self._rules.key_pause_s
        if len(self._keys) < self._rules.keys:
            return ()
        self._stray, self._stray_until = self._rules.finish_key, now + _STRAY_S
        return self._end(now)

    def _end(self, now: float, *, by_finish_key: bool = False) -> tuple[Keys, ...]:
        keys, self._keys, self._due = self._keys, "", None
        self._held_until = now + _HOLD_S
        return (Keys(keys=keys, by_finish_key=by_finish_key),)

    def _is_stray(self, key: str, now: float) -> bool:
        is_stray = not self._keys and key == self._stray and now < self._stray_until
        self._stray = ""
        return is_stray


def _same(old: Listening | None, new: Listening | None) -> bool:
    if old is None or new is None:
        return False
    return (old.keys, old.finish_key, old.secret) == (new.keys, new.finish_key, new.secret)
