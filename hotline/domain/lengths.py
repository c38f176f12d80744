"""How long a text is on the channels that count: SMS in UCS-2 units and parts, WeChat in bytes.

One Chinese character forces UCS-2 on the whole SMS: 70 units in a single part, 67 in each of several; characters
outside the basic plane (emoji) take 2 (https://www.twilio.com/docs/glossary/what-sms-character-limit).
"""

from __future__ import annotations

from typing import Final

SINGLE_PART_UNITS: Final = 70
PART_UNITS: Final = 67
WECHAT_BYTES: Final = 2048
"""Of one WeChat text bubble in UTF-8; more is errcode 45002."""


def units(text: str) -> int:
    """The text's length in UCS-2 units."""
    return sum(2 if ord(char) > 0xFFFF else 1 for char in text)


def parts(text: str) -> int:
    """How many parts the text is billed as. No part ends in the middle of an emoji."""
    total = units(text)
    if total <= SINGLE_PART_UNITS:
        return 1 if total else 0
    count, used = 1, 0
    for char in text:
        width = units(char)
        count, used = (count + 1, width) if used + width > PART_UNITS else (count, used + width)
    return count
