"""What a person has agreed to (个人信息保护法, articles 13, 14 and 17: informed, of one's own will, for a purpose)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hotline.domain.messages import ChannelName


class ConsentPurpose(StrEnum):
    """What the data is used for. A new purpose needs a consent of its own."""

    OWN_DATA = "own_data"
    """Querying one's own data in the fund core system and filing one's own business there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A person agreed to one version of the notice; another version is asked for again."""

    person_id: str
    purpose: ConsentPurpose
    version: str
    agreed_at: datetime
    channel: ChannelName


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is agreed to, as it is shown. ``version`` changes whenever its meaning does."""

    version: str
    title: str
    text: str
