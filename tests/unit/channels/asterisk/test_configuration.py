"""The configuration that is shipped fits the code."""

from __future__ import annotations

import re
from pathlib import Path

from channels.voice.asterisk.announcements import wording
from channels.voice.asterisk.media_websocket import CLIENT
from channels.voice.asterisk.stasis import FALLBACK
from hotline.settings import AsteriskSettings

ETC = Path(__file__).parents[4] / "channels" / "voice" / "asterisk" / "etc"
SCRIPT = ETC.parents[3] / "scripts" / "asterisk"


def _read(name: str) -> str:
    return (ETC / name).read_text(encoding="utf-8")


def test_names_that_the_code_has_are_there() -> None:
    assert f"[{CLIENT}]" in _read("websocket_client.conf")
    assert f"[{FALLBACK}]" in _read("extensions.conf")
    assert f"Stasis({AsteriskSettings().app}," in _read("extensions.conf")
    assert f"[{AsteriskSettings().ari_user}]" in _read("ari.conf")


def test_every_announcement_is_worded() -> None:
    played = set(re.findall(r"hotline/([a-z-]+)", _read("extensions.conf") + _read("queues.conf")))
    assert {name for name in played if name != "hotline"} == set(wording())


def test_every_blank_is_filled_in_by_the_script() -> None:
    blanks = {blank for path in ETC.glob("*.conf") for blank in re.findall(r"@[A-Z_]+@", path.read_text("utf-8"))}
    assert blanks
    assert blanks == set(re.findall(r"@[A-Z_]+@", SCRIPT.read_text("utf-8")))


def test_every_file_is_explained() -> None:
    table = _read("README.md")
    missing = [path.name for path in ETC.glob("*.conf") if f"`{path.name}`" not in table]
    assert missing == []


def test_control_is_on_loopback_and_keys_are_not_logged() -> None:
    assert re.search(r"(?m)^bindaddr=127\.0\.0\.1$", _read("http.conf"))
    levels = re.findall(r"(?m)^[a-z.]+ => (.*)$", _read("logger.conf"))
    assert levels
    assert not any(word in line for line in levels for word in ("dtmf", "verbose", "debug"))
