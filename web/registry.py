"""Every channel, one line each: where its webhook is and how it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import httpx

from channels.sms.channel import SmsChannel
from channels.sms.codes import SmsCodes
from channels.voice.channel import VoiceChannel
from channels.webchat.channel import WebChatChannel
from channels.webchat.visitors import Visitors
from channels.wechat.channel import WeChatChannel
from channels.wechat.quota import Quota
from hotline.domain.messages import ChannelName
from hotline.ports import Channel
from hotline.settings import Settings
from hotline.storage.channel_store import SqlChannelStore
from knowledge_base.model import Centre

HOOKS: Mapping[str, ChannelName] = {
    "wechat": ChannelName.WECHAT,
    "sms": ChannelName.SMS,
    "voice": ChannelName.VOICE,
}
"""Path name under ``/channels/`` to channel. The web page has routes of its own."""

QUOTA_SCOPE = "wechat.quota"


class StoredQuotas:
    """WeChat's message windows in storage, shared by all gateway processes."""

    def __init__(self, states: SqlChannelStore) -> None:
        self._states = states

    async def get(self, contact_key: str) -> Quota | None:
        found = await self._states.get_state(QUOTA_SCOPE, contact_key)
        return Quota(**found) if found else None

    async def put(self, contact_key: str, quota: Quota) -> bool:
        return await self._states.put_state(QUOTA_SCOPE, contact_key, asdict(quota), version=quota.version)


def build_channels(settings: Settings, states: SqlChannelStore, centre: Centre) -> dict[ChannelName, Channel]:
    """All channels of the centre, on its settings."""
    gateway = settings.gateway
    visitors = Visitors(gateway.session_secret, secure=gateway.public_url.startswith("https://"))
    signature = short_name(centre)
    wechat_client = httpx.AsyncClient(trust_env=False)
    return {
        ChannelName.WEB: WebChatChannel(visitors),
        ChannelName.WECHAT: WeChatChannel(settings.wechat, states, client=wechat_client, quotas=StoredQuotas(states)),
        ChannelName.SMS: SmsChannel(settings.twilio, gateway.public_url, signature=signature),
        ChannelName.VOICE: VoiceChannel(settings.twilio, gateway.public_url, centre=signature),
    }


def build_codes(settings: Settings, centre: Centre) -> SmsCodes:
    """What brings codes to telephones."""
    return SmsCodes(settings.twilio, signature=short_name(centre))


def short_name(centre: Centre) -> str:
    """The approved SMS signature without its brackets."""
    return centre.sms_signature.strip("【】")
