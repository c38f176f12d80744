"""What a citizen's channel still takes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from hotline.agent_desk import Meter
from hotline.desk_store import DeskConversation
from hotline.domain.messages import ChannelName
from hotline.identity_store import Bindings
from hotline.ports import Windows

BY_SMS: Final = "sms"


class Meters:
    """Reads what the channels count. Safe for concurrent use."""

    def __init__(self, windows: Mapping[ChannelName, Windows], bindings: Bindings, *, falls_over: bool = False) -> None:
        """``windows``: the channels that count. ``falls_over``: whether what they no longer take is really sent by SMS
        to the number on record; only then is it promised."""
        self._windows = windows
        self._bindings = bindings
        self._falls_over = falls_over

    async def meter(self, conversation: DeskConversation) -> Meter:
        """No limits where the channel has none, or where nothing is known of the citizen's window."""
        windows = self._windows.get(conversation.channel)
        allowance = await windows.allowance(conversation.address) if windows else None
        if allowance is None:
            return Meter()
        if allowance.left > 0:
            closes_at = datetime.fromtimestamp(allowance.until, tz=UTC)
            return Meter(bubbles_left=allowance.left, closes_at=closes_at)
        return Meter(bubbles_left=0, falls_over_to=BY_SMS if await self._has_mobile(conversation) else "")

    async def _has_mobile(self, conversation: DeskConversation) -> bool:
        """Whether there is a number on record to send to. Nobody is shown it."""
        if not self._falls_over:
            return False
        bound = await self._bindings.bound_in(conversation.id)
        person = await self._bindings.registered(bound.person_id) if bound else None
        return person is not None and bool(person.mobile)
