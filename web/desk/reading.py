"""What the desk's pages read: the page itself, its lists, and conversations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

from fastapi import Request
from pypinyin import Style, lazy_pinyin
from starlette.responses import HTMLResponse, Response

from hotline.agent_desk import DeskRefused, Refusal, View
from hotline.desk_store import DeskConversation, Line, Note
from hotline.domain.desk import Agent, AgentState, Group, HandoverState, Presence
from hotline.domain.messages import ChannelName
from web.desk import showing
from web.desk.entrance import Member
from web.desk.forms import number
from web.desk.site import DeskSite
from web.desk.telephone import DeskCalls

QUEUE_SHOWN: Final = 50
MANUAL_STATES: Final = (AgentState.READY, AgentState.BUSY, AgentState.BREAK, AgentState.OFFLINE)
LONGEST_QUESTION: Final = 200


class DeskReading:
    """Handlers that change nothing."""

    def __init__(self, site: DeskSite, calls: DeskCalls) -> None:
        self._site = site
        self.calls = calls
        self._desk = site.desk

    async def page(self, request: Request, member: Member) -> Response:
        canned = [
            {"shortcut": each.shortcut, "title": each.title, "text": each.text} for each in await self._desk.canned()
        ]
        extension, phone_url = self.calls.phone(member)
        script = {
            **self._site.wording.words["script"],
            "staff": member.agent.staff_id,
            "amber_s": showing.AMBER_S,
            "red_s": showing.RED_S,
            "canned": canned,
        }
        return self._site.page(
            "desk/desk.html",
            member,
            script=script,
            phone_url=phone_url,
            extension=extension,
            **await self._state(member.agent),
            **await self._mine(member.agent),
            **await self._queue(),
        )

    async def state(self, request: Request, member: Member) -> Response:
        return self._site.fragment("desk/state.html", agent=member.agent, **await self._state(member.agent))

    async def mine(self, request: Request, member: Member) -> Response:
        return self._site.fragment("desk/mine.html", **await self._mine(member.agent))

    async def queue(self, request: Request, member: Member) -> Response:
        return self._site.fragment("desk/queue.html", **await self._queue())

    async def row(self, request: Request, member: Member) -> Response:
        conversation = await self.allowed(request, member)
        show = await self._site.showing()
        return self._site.fragment("desk/row.html", row=show.row(conversation))

    async def conversation(self, request: Request, member: Member) -> Response:
        """The conversation with everything beside it."""
        found = await self.allowed(request, member)
        view = await self._desk.view(found.id, staff_id=member.agent.staff_id)
        of_his = replace(view, conversation=found)
        return self._site.fragment("desk/conversation.html", **await self.viewed(of_his, member))

    async def call(self, request: Request, member: Member) -> Response:
        """How the conversation's call stands."""
        found = await self.allowed(request, member)
        holds = showing.is_held_by(found, member.agent.staff_id)
        return await self.calls.strip(found, member, holds=holds)

    async def earlier(self, request: Request, member: Member) -> Response:
        """Lines before the oldest one that is shown."""
        found = await self.allowed(request, member)
        before = number(request.query_params.get("before"))
        view = await self._desk.view(found.id, staff_id=member.agent.staff_id, before=before)
        return self._site.fragment("desk/earlier.html", **await self.viewed(view, member))

    async def lines(self, request: Request, member: Member) -> Response:
        """Lines beyond those that are shown, with ``noted`` the notes too, and what they change beside them."""
        found = await self.allowed(request, member)
        after = number(request.query_params.get("after")) or 0
        noted = number(request.query_params.get("noted"))
        notes = [] if noted is None else [each for each in await self._desk.notes(found.id) if each.id > noted]
        return await self.told(found, member, lines=await self._desk.lines(found.id, after=after), notes=notes)

    async def told(
        self, conversation: DeskConversation, member: Member, *, lines: Sequence[Line], notes: Sequence[Note] = ()
    ) -> HTMLResponse:
        """What is new in a conversation, its row in the list, and what its channel still takes."""
        show = await self._site.showing()
        agent = member.agent
        holds = showing.is_held_by(conversation, agent.staff_id)
        return self._site.fragment(
            "desk/lines.html",
            lines=lines,
            notes=_readable(notes, conversation, agent),
            names=await self._site.names(),
            row=show.row(conversation),
            meter=await self._desk.meter(conversation.id) if holds else None,
            **await self.calls.shown(conversation, lines, member),
        )

    async def suggestions(self, request: Request, member: Member) -> Response:
        found = await self.allowed(request, member)
        return self._site.fragment("desk/suggestions.html", suggestions=await self._desk.suggestions(found.id))

    async def knowledge(self, request: Request, member: Member) -> Response:
        found = await self.allowed(request, member)
        question = request.query_params.get("q", "").strip()[:LONGEST_QUESTION]
        entries = await self._desk.suggestions(found.id, text=question)
        return self._site.fragment("desk/knowledge.html", entries=entries, question=question)

    async def transfer_form(self, request: Request, member: Member) -> Response:
        found = await self.allowed(request, member)
        show = await self._site.showing()
        colleagues = [
            (each, show.load(each))
            for each in await self._desk.colleagues()
            if each.agent.staff_id != member.agent.staff_id
        ]
        return self._site.fragment(
            "desk/transfer.html",
            conversation=found,
            groups=list(Group),
            colleagues=sorted(colleagues, key=lambda each: each[0].state is not AgentState.READY),
        )

    async def wrap_up_form(self, request: Request, member: Member) -> Response:
        found = await self.allowed(request, member)
        if found.handover is None or found.handover.state is not HandoverState.WRAP_UP:
            raise DeskRefused(Refusal.GONE)
        other = tuple(self._site.wording.words["wrap_other"])
        reasons = [*await self._desk.wrap_reasons()]
        return self._site.fragment(
            "desk/wrap_up.html",
            conversation=found,
            handover=found.handover,
            reasons=[(*each, pinyin(each[1])) for each in reasons if each[0] != other[0]]
            + [(*other, pinyin(other[1]))],
            matter=found.handover.wrap_reason or found.handover.matter,
            summary=found.handover.summary or await self._desk.summary(found.id),
        )

    async def allowed(self, request: Request, member: Member) -> DeskConversation:
        """The conversation of the address, where this member of staff may see it, with the request that makes it his:
        his wrap-up stays open when the conversation goes on with somebody else. Raises DeskRefused."""
        found = await self._desk.conversation(request.path_params["conversation_id"])
        staff_id = member.agent.staff_id
        if showing.is_mine(found, staff_id):
            return found
        his = next((each for each in await self._desk.mine(staff_id) if each.id == found.id), None)
        if his is not None:
            return his
        if not member.agent.supervises:
            raise DeskRefused(Refusal.NOT_YOURS)
        return found

    async def viewed(self, view: View, member: Member) -> dict[str, Any]:
        """What the templates of a conversation want to know."""
        conversation, agent = view.conversation, member.agent
        show = await self._site.showing()
        checked = await self._desk.check(conversation.id, "")
        return {
            "view": view,
            "conversation": conversation,
            "row": show.row(conversation),
            "holds": showing.is_held_by(conversation, agent.staff_id),
            "supervises": agent.supervises,
            "agent": agent,
            "lines": view.lines,
            "notes": _readable(view.notes, conversation, agent),
            "names": await self._site.names(),
            "facts": show.facts(conversation.handover) if conversation.handover else [],
            "tried": show.tried(conversation.handover) if conversation.handover else [],
            "earlier": [(each, show.matter(each.wrap_reason or each.matter)) for each in view.earlier],
            "limit": checked.limit,
            "has_answered": _has_answered(view),
            **await self.calls.shown(conversation, view.lines, member),
        }

    async def _state(self, agent: Agent) -> dict[str, Any]:
        presence = next(
            (each for each in await self._desk.colleagues() if each.agent.staff_id == agent.staff_id),
            Presence(agent=agent, state=AgentState.OFFLINE, since=self._site.clock(), seen_at=self._site.clock()),
        )
        show = await self._site.showing()
        return {"presence": presence, "load": show.load(presence), "manual_states": MANUAL_STATES}

    async def _mine(self, agent: Agent) -> dict[str, Any]:
        show = await self._site.showing()
        rows = sorted(show.rows(await self._desk.mine(agent.staff_id)), key=_is_no_call)
        return {
            "offers": [row for row in rows if row.kind == "offered"],
            "mine": [row for row in rows if row.kind != "offered"],
        }

    async def _queue(self) -> dict[str, Any]:
        show = await self._site.showing()
        waiting = await self._desk.queue()
        return {"waiting": show.rows(waiting[:QUEUE_SHOWN]), "waiting_count": len(waiting)}


def _is_no_call(row: showing.Row) -> bool:
    """Who is on the telephone cannot wait: he stands before everybody else."""
    return not (row.channel is ChannelName.VOICE and row.kind in ("offered", "held"))


def _readable(notes: Sequence[Note], conversation: DeskConversation, agent: Agent) -> list[Note]:
    """Whispers are for who holds the conversation, and for those who may whisper."""
    may_hear = agent.supervises or conversation.holder == agent.staff_id
    return [each for each in notes if each.kind != "whisper" or may_hear]


def _has_answered(view: View) -> bool:
    """Whoever has or had the request has written something already."""
    handover = view.conversation.handover
    return handover is not None and any(line.by and line.by == handover.agent_id for line in view.lines)


@cache
def pinyin(name: str) -> str:
    """What a Chinese name is typed as: all syllables, and their first letters."""
    return f"{''.join(lazy_pinyin(name))} {''.join(lazy_pinyin(name, style=Style.FIRST_LETTER))}".lower()
