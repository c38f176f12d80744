"""The voice that the settings name."""

from __future__ import annotations

from pathlib import Path

import structlog

from channels.voice.sounding import prompts
from channels.voice.sounding.cache import CachedVoice, MadeVoice
from channels.voice.sounding.espeak import EspeakVoice
from channels.voice.sounding.recorded import RecordedVoice, WarmVoice
from channels.voice.sounding.remote import RemoteVoice
from hotline.errors import ConfigError
from hotline.settings import Settings

log = structlog.get_logger(__name__)


def build_voice(settings: Settings) -> WarmVoice:
    """Ready at once; `warm` renders the fixed prompts beforehand. Raises ConfigError for settings that cannot be used
    and for recorded prompts whose index cannot be read."""
    fixed = prompts.fixed_prompts(prompts.centre_name(settings.centre))
    if settings.telephone.voice != "recorded":
        return _cached(_maker(settings), settings, fixed)
    folder = prompts_dir(settings)
    recorded = prompts.check(folder).good
    missing = tuple(text for text in fixed if text not in recorded)
    if missing:
        log.info("voice.prompts.not_recorded", count=len(missing))
    return RecordedVoice(folder, _cached(_espeak(), settings, missing))


def prompts_dir(settings: Settings) -> Path:
    """Where recorded prompts are."""
    return settings.telephone.prompts_dir or settings.state_dir / "prompts"


def _maker(settings: Settings) -> MadeVoice:
    telephone = settings.telephone
    if telephone.voice == "espeak":
        return _espeak()
    if not telephone.voice_url.startswith(("http://", "https://")):
        raise ConfigError("GJJ_TELEPHONE__VOICE_URL: the remote voice needs an http:// or https:// address")
    return RemoteVoice(telephone.voice_url, telephone.voice_token.get_secret_value())


def _espeak() -> EspeakVoice:
    voice = EspeakVoice()
    if not voice.is_here:
        log.warning("voice.espeak.missing", reason="install the package espeak-ng")
    return voice


def _cached(voice: MadeVoice, settings: Settings, fixed: tuple[str, ...]) -> CachedVoice:
    return CachedVoice(voice, fixed=fixed, folder=settings.state_dir / "spoken")
