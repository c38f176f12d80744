"""The sentences of identity, read once from wording/identity.yml."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from hotline.domain.consent import Notice
from hotline.domain.identity import Contact
from hotline.domain.masking import tail


@cache
def _wording() -> dict[str, Any]:
    text = (files("hotline.services") / "wording" / "identity.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


@cache
def notice() -> Notice:
    """What a person agrees to before his data is asked for."""
    return Notice(**_wording()["notice"])


def code_text(code: str, *, minutes: int, contact: Contact) -> str:
    """The SMS with a code: the code, where it is used, how long it counts, and not to tell anybody."""
    number = contact.address.removeprefix("+")
    end = tail(number) if number.isdecimal() else ""
    where = str(_wording()["where"][contact.channel]).format(tail=end or _wording()["no_tail"])
    return str(_wording()["code"]).format(code=code, minutes=minutes, where=where)
