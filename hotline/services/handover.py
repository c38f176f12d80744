"""A citizen wants a person: what really happens, said truthfully."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hotline.domain.conversations import Job, Owner
from hotline.domain.messages import ChannelName, Reply, TurnResult
from hotline.store import Handovers, Store
from hotline.wording import say

OWN_FORM: Mapping[ChannelName, str] = {ChannelName.SMS: "_sms", ChannelName.VOICE: "_voice"}
"""Channels whose sentences are worded apart."""


class HandOver:
    """Puts the conversation into the queue where a desk is staffed; notes the request where it is not."""

    def __init__(self, store: Store, handovers: Handovers, *, staffed: bool) -> None:
        self._store = store
        self._handovers = handovers
        self._staffed = staffed

    async def request(self, job: Job, result: TurnResult) -> tuple[Job, TurnResult]:
        """The request is on record with a number; the job carries the owner version it now has."""
        noted = await self._handovers.note_handover(job.conversation_id, result.hand_over or "requested")
        if self._staffed:
            version = await self._store.change_owner(
                job.conversation_id, Owner.QUEUED, expected_version=job.owner_version
            )
            queued = replace(job, owner_version=version) if version is not None else job
            return queued, replace(result, replies=(Reply(text=say("queued")),))
        text = say(_key(job.channel, result.hand_over, again=noted.again), number=noted.number)
        last = result.replies[-1] if result.replies else Reply(text="")
        return job, replace(result, replies=(replace(last, text=text),))


def _key(channel: ChannelName, reason: str | None, *, again: bool) -> str:
    form = OWN_FORM.get(channel, "")
    if reason == "complaint":
        return f"complaint_noted{form}"
    return "person_again" if again and not form else f"person_noted{form}"
