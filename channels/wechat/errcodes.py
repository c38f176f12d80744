"""WeChat answers 200 with an errcode: what each one means for a message on its way out.

Codes: https://developers.weixin.qq.com/doc/service/guide/dev/api/errcode.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hotline.ports import SendError, SendReason

TOKEN_REJECTED: Final = frozenset({40001, 40014, 42001})
"""The access token is not, or no longer, the right one: get another and try once more."""
ALREADY_SO: Final = frozenset({45080, 45081})
"""Typing state: it is shown already, or there is nobody to show it to."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    reason: SendReason
    detail: str
    retry_after_s: float | None = None
    """None: trying again is of no use."""


_R = SendReason
_MEANINGS: Final = {
    -1: _Meaning(_R.CONNECTION, "WeChat is busy", 1.0),
    40001: _Meaning(_R.CONFIG, "access token or app secret is refused", 60.0),
    40014: _Meaning(_R.CONFIG, "access token is refused", 60.0),
    42001: _Meaning(_R.CONFIG, "access token has expired", 60.0),
    40002: _Meaning(_R.CONFIG, "grant type is refused"),
    40013: _Meaning(_R.CONFIG, "app id is wrong"),
    40125: _Meaning(_R.CONFIG, "app secret is wrong"),
    40164: _Meaning(_R.CONFIG, "this machine's address is not in the account's IP allowlist"),
    89501: _Meaning(_R.CONFIG, "an administrator must confirm this machine's address"),
    89503: _Meaning(_R.CONFIG, "an administrator must confirm this machine's address"),
    48001: _Meaning(_R.CONFIG, "the account may not use this interface"),
    48004: _Meaning(_R.CONFIG, "the interface is banned for this account"),
    50004: _Meaning(_R.CONFIG, "the account is not allowed to call"),
    50007: _Meaning(_R.CONFIG, "the account is frozen"),
    40003: _Meaning(_R.RECIPIENT_GONE, "no such follower"),
    43004: _Meaning(_R.RECIPIENT_GONE, "the citizen does not follow the account"),
    43019: _Meaning(_R.RECIPIENT_GONE, "the citizen is on the account's block list"),
    48002: _Meaning(_R.RECIPIENT_GONE, "the citizen refuses messages"),
    45015: _Meaning(_R.THROTTLED, "the citizen has not written in the last 48 hours"),
    45047: _Meaning(_R.THROTTLED, "all messages of this window are used"),
    45009: _Meaning(_R.THROTTLED, "the account's calls of today are used", 3600.0),
    45011: _Meaning(_R.THROTTLED, "too many calls in this minute", 60.0),
    45002: _Meaning(_R.CONTENT, "text is longer than 2048 bytes"),
    87014: _Meaning(_R.CONTENT, "text is refused as risky"),
}


def send_error(errcode: int) -> SendError:
    """The error to raise for ``errcode``. Unknown ones are final: a blind retry could annoy a citizen."""
    meaning = _MEANINGS.get(errcode, _Meaning(SendReason.REJECTED, "refused"))
    return SendError(
        meaning.reason,
        f"{meaning.detail} (errcode {errcode})",
        retryable=meaning.retry_after_s is not None,
        retry_after_s=meaning.retry_after_s or 0.0,
    )
