"""The account's looks and its test followers, from wechat_account.yml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """Somebody with WeChat. ``openid`` names them towards this one account."""

    openid: str
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A second-level key: what it shows, and its EventKey."""

    label: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuKey:
    """A first-level key and the entries it opens."""

    label: str
    entries: tuple[MenuEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Everything the phone shows that no message brought."""

    title: str
    name: str
    about: str
    fault: str
    followed: str
    unfollowed: str
    blank_picture: str
    citizens: tuple[Citizen, ...]
    menu: tuple[MenuKey, ...]


@cache
def account() -> Account:
    """The one account of the sandbox, read once."""
    raw = yaml.safe_load(Path(__file__).with_name("wechat_account.yml").read_text(encoding="utf-8"))
    menu = tuple(
        MenuKey(label=key["label"], entries=tuple(MenuEntry(**entry) for entry in key["entries"]))
        for key in raw.pop("menu")
    )
    return Account(citizens=tuple(Citizen(**one) for one in raw.pop("citizens")), menu=menu, **raw)
