"""One function changes the owner of a conversation."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import update

from hotline.domain.conversations import ALLOWED_CHANGES, Owner
from hotline.storage.ownership import change_owner, close, locked
from hotline.storage.tables import conversations
from tests.contract.storage.desk_kit import Desk

pytestmark = pytest.mark.anyio


async def owned_by(desk: Desk, owner: Owner, who: str) -> str:
    conversation_id = (await desk.said(who=who)).conversation_id
    async with desk.database.write() as tx:
        await tx.execute(update(conversations).where(conversations.c.id == conversation_id).values(owner=owner))
    return conversation_id


async def changed(desk: Desk, conversation_id: str, to: Owner) -> int | None:
    async with desk.database.write() as tx:
        before = await locked(tx, conversation_id)
        assert before is not None
        return await change_owner(tx, before, to, now=desk.clock.now, holder="a1" if to is Owner.AGENT else "")


async def test_only_the_changes_that_make_sense_happen_and_each_counts_one_version(desk: Desk) -> None:
    for number, (owner, to) in enumerate(itertools.product(Owner, Owner)):
        conversation_id = await owned_by(desk, owner, f"o{number}")
        version = await changed(desk, conversation_id, to)
        if to in ALLOWED_CHANGES[owner]:
            assert version == 1
            assert await desk.at(conversation_id) == (to, "a1" if to is Owner.AGENT else "", 1)
        else:
            assert version is None
            assert await desk.at(conversation_id) == (owner, "", 0)


async def test_a_closed_conversation_is_nobodys_and_changes_hands_no_more(desk: Desk) -> None:
    for number, owner in enumerate(Owner):
        conversation_id = await owned_by(desk, owner, f"o{number}")
        async with desk.database.write() as tx:
            before = await locked(tx, conversation_id)
            assert before is not None
            await close(tx, before, now=desk.clock.now)
        closed = await desk.at(conversation_id)
        assert closed == (Owner.BOT, "", 0 if owner is Owner.BOT else 1)
        for to in Owner:
            assert await changed(desk, conversation_id, to) is None
        assert await desk.at(conversation_id) == closed


async def test_there_is_no_lock_on_what_is_not_there(desk: Desk) -> None:
    async with desk.database.write() as tx:
        assert await locked(tx, "nowhere") is None
