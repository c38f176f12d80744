"""The recogniser that the settings name."""

from __future__ import annotations

from channels.voice.hearing.port import Recogniser
from channels.voice.hearing.remote import RemoteRecogniser
from hotline.errors import ConfigError
from hotline.settings import Settings


def build_recogniser(settings: Settings) -> Recogniser | None:
    """None where callers have keys alone. Raises ConfigError for an address that is none."""
    telephone = settings.telephone
    if telephone.recogniser == "none":
        return None
    if not telephone.recogniser_url.startswith(("ws://", "wss://")):
        raise ConfigError("GJJ_TELEPHONE__RECOGNISER_URL: the recogniser needs a ws:// or wss:// address")
    return RemoteRecogniser(telephone.recogniser_url, telephone.recogniser_token.get_secret_value())
