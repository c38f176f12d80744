"""Recordings of telephone calls, put together."""

from __future__ import annotations

from datetime import timedelta

from hotline.domain.clock import utc_now
from hotline.privacy.ciphers import FieldCipher
from hotline.services.calls.recorder import Encode, Recorder
from hotline.services.calls.recordings import Recordings
from hotline.settings import Settings
from hotline.storage_bootstrap import Storage


def build_recordings(settings: Settings, storage: Storage) -> Recordings:
    """For those who hear recordings, and for deleting them."""
    return Recordings(
        settings.recordings_dir,
        rows=storage.recordings,
        calls=storage.calls,
        audit=storage.audit,
        cipher=FieldCipher.from_settings(settings.privacy),
        keep=timedelta(days=settings.telephone.recording_days),
        clock=utc_now,
    )


def build_recorder(settings: Settings, storage: Storage, *, encode: Encode) -> Recorder:
    """For the process that has the calls; ``encode`` makes A-law of 16-bit PCM. Close it at the end."""
    return Recorder(
        settings.recordings_dir,
        rows=storage.recordings,
        calls=storage.calls,
        cipher=FieldCipher.from_settings(settings.privacy),
        keep=timedelta(days=settings.telephone.recording_days),
        clock=utc_now,
        encode=encode,
    )
