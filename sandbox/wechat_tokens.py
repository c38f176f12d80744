"""Access tokens as the stable-token interface gives them out.

https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

LIFE_S = 7200.0
OVERLAP_S = 300.0
FORCE_PAUSE_S = 30.0
FORCE_A_DAY = 20
OK, INVALID, EXPIRED, MISSING, TOO_OFTEN = 0, 40001, 42001, 41001, 45009


@dataclass(slots=True)
class TokenDesk:
    """One account's tokens. The same one is given out until five minutes before its end."""

    clock: Callable[[], float]
    issued: int = 0
    """How many different tokens there have been."""
    asked: int = 0
    """How many times one was asked for."""
    _ends: dict[str, float] = field(default_factory=dict)
    _refused: dict[str, int] = field(default_factory=dict)
    _current: str = ""
    _forced: list[float] = field(default_factory=list)

    def give(self, *, force: bool = False) -> tuple[str, int]:
        """The token and the seconds it lives, or ("", 0) for a forced renewal that came too often."""
        self.asked += 1
        now = self.clock()
        if force and not self._may_force(now):
            return "", 0
        if force or not self._current or self._ends[self._current] - now < OVERLAP_S:
            self._renew(now)
        return self._current, int(self._ends[self._current] - now)

    def check(self, token: str) -> int:
        """0, or the errcode for a call with this token."""
        if not token:
            return MISSING
        if token in self._refused:
            return self._refused[token]
        if token not in self._ends:
            return INVALID
        return OK if self.clock() < self._ends[token] else EXPIRED

    def expire(self, errcode: int = EXPIRED) -> None:
        """From now on every token given out so far is answered with ``errcode``."""
        self._refused.update(dict.fromkeys(self._ends, errcode))
        self._current = ""

    def _renew(self, now: float) -> None:
        if self._current:
            self._ends[self._current] = min(self._ends[self._current], now + OVERLAP_S)
        self._current = f"{self.issued + 1}_{secrets.token_urlsafe(120)}"
        self._ends[self._current] = now + LIFE_S
        self.issued += 1

    def _may_force(self, now: float) -> bool:
        self._forced = [at for at in self._forced if now - at < 86400]
        if len(self._forced) >= FORCE_A_DAY or (self._forced and now - self._forced[-1] < FORCE_PAUSE_S):
            return False
        self._forced.append(now)
        return True
