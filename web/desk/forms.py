"""What the desk's pages send, read no further than it may be long."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

MAX_BYTES = 96 * 1024
"""Ten thousand Chinese characters as a form encodes them."""
LARGEST = 2**31 - 1
Form = dict[str, str]


class BadForm(Exception):
    """Not a form of ours; the text is a code of ``problems`` in wording.yml."""


async def read_form(request: Request) -> Form:
    """The fields of an urlencoded form; of a repeated field the last one.

    Raises:
        BadForm: it is longer than any form of ours, or not one.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise BadForm("too_large")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50))
    except ValueError as error:
        raise BadForm("unreadable") from error


def number(value: str | None) -> int | None:
    """A number that a database integer holds, or None."""
    if not value or not value.isascii() or not value.isdigit() or len(value) > len(str(LARGEST)):
        return None
    return int(value) if int(value) <= LARGEST else None
