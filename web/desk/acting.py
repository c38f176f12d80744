"""What members of staff do on the desk's pages. Every act may be sent twice."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from starlette.responses import Response

from hotline.agent_desk import DeskRefused, Refusal
from hotline.desk_store import DeskConversation, WrapUp
from hotline.domain.desk import AgentState, Group
from hotline.services.customer_cards import SHORTEST_REASON
from web.desk.entrance import Member
from web.desk.forms import BadForm, Form, number, read_form
from web.desk.reading import DeskReading
from web.desk.site import DeskSite

LONGEST: Final = 1000
"""Characters of a note, a summary or a reason."""
LONGEST_CLIENT_ID: Final = 64
REVEALED_S: Final = 20
"""Seconds a personal number stays on the screen."""


class DeskActing:
    """Handlers that change something."""

    def __init__(self, site: DeskSite, reading: DeskReading) -> None:
        self._site = site
        self._desk = site.desk
        self._reading = reading

    async def set_state(self, request: Request, member: Member) -> Response:
        wanted = (await read_form(request)).get("state", "")
        if wanted not in list(AgentState):
            raise BadForm("unreadable")
        try:
            await self._desk.set_state(member.agent.staff_id, AgentState(wanted))
        except DeskRefused as refused:
            if wanted == AgentState.OFFLINE and refused.refusal is Refusal.NOT_ALLOWED:
                return self._site.problem("offline_held", 409)
            raise
        return await self._reading.state(request, member)

    async def accept(self, request: Request, member: Member) -> Response:
        taken = await self._desk.accept(_handover(request), staff_id=member.agent.staff_id)
        return self._taken(taken, member)

    async def pick(self, request: Request, member: Member) -> Response:
        taken = await self._desk.pick(_handover(request), staff_id=member.agent.staff_id)
        return self._taken(taken, member)

    async def decline(self, request: Request, member: Member) -> Response:
        await self._desk.decline(_handover(request), staff_id=member.agent.staff_id)
        return self._site.done()

    async def say(self, request: Request, member: Member) -> Response:
        """The line stands; the same ``client_id`` again is the same line."""
        form = await read_form(request)
        client_id, text = form.get("client_id", ""), form.get("text", "")
        if not client_id or len(client_id) > LONGEST_CLIENT_ID:
            raise BadForm("unreadable")
        conversation_id = request.path_params["conversation_id"]
        try:
            said = await self._desk.say(conversation_id, text, agent=member.agent, client_id=client_id)
        except DeskRefused as refused:
            return await self._not_said(refused, conversation_id, text)
        conversation = await self._desk.conversation(conversation_id)
        html = await self._reading.told(conversation, member, lines=[said.line])
        return self._site.data({"seq": said.line.seq, "again": said.again, "html": bytes(html.body).decode("utf-8")})

    async def check(self, request: Request, member: Member) -> Response:
        """A draft looked at, and what the channel still takes."""
        conversation = await self._reading.allowed(request, member)
        text = (await read_form(request)).get("text", "")
        checked = await self._desk.check(conversation.id, text)
        refused = DeskRefused(checked.refusal, found=checked.found) if checked.refusal else None
        return self._site.data(
            {
                "code": checked.refusal.value if checked.refusal else "",
                "message": self._site.wording.refusal(refused) if refused else "",
                "masked": checked.masked if checked.refusal is Refusal.PERSONAL else "",
                "characters": checked.characters,
                "limit": checked.limit,
                "parts": checked.parts,
            }
        )

    async def typing(self, request: Request, member: Member) -> Response:
        on = (await read_form(request)).get("on") == "1"
        await self._desk.typing(request.path_params["conversation_id"], staff_id=member.agent.staff_id, on=on)
        return self._site.done()

    async def note(self, request: Request, member: Member) -> Response:
        conversation = await self._reading.allowed(request, member)
        text = (await read_form(request)).get("text", "")
        note = await self._desk.add_note(conversation.id, staff_id=member.agent.staff_id, text=_short(text))
        return self._site.done("desk:noted", conversation=conversation.id, note=note.id)

    async def transfer(self, request: Request, member: Member) -> Response:
        form = await read_form(request)
        kind, _, target = form.get("to", "").partition(":")
        if kind not in ("group", "staff") or (kind == "group" and target not in list(Group)):
            raise DeskRefused(Refusal.UNKNOWN_TARGET)
        conversation_id = request.path_params["conversation_id"]
        await self._desk.transfer(
            conversation_id,
            staff_id=member.agent.staff_id,
            to_group=Group(target) if kind == "group" else None,
            to_staff=target if kind == "staff" else "",
            note=_short(form.get("note", "")),
        )
        return self._site.done("desk:transferred", conversation=conversation_id)

    async def end(self, request: Request, member: Member) -> Response:
        conversation_id = request.path_params["conversation_id"]
        await self._desk.end(conversation_id, staff_id=member.agent.staff_id)
        return self._site.done("desk:ended", conversation=conversation_id)

    async def wrap_up(self, request: Request, member: Member) -> Response:
        form = await read_form(request)
        reason, solved = form.get("reason", ""), form.get("solved", "")
        if reason not in await self._reasons():
            return self._site.problem("choose_reason")
        if solved not in ("yes", "no"):
            return self._site.problem("choose_solved")
        filed = WrapUp(
            reason=reason,
            solved=solved == "yes",
            note=_short(form.get("note", "")),
            summary=_short(form.get("summary", "")),
        )
        await self._desk.wrap_up(_handover(request), staff_id=member.agent.staff_id, wrap_up=filed)
        return self._site.done("desk:wrapped", handover=_handover(request))

    async def reveal(self, request: Request, member: Member) -> Response:
        """A personal number in full, for a while; the reason is on record first."""
        conversation = await self._reading.allowed(request, member)
        form = await read_form(request)
        field, reason = form.get("field", ""), _reason(form)
        if field not in self._site.wording.words["reveal_fields"]:
            raise BadForm("unreadable")
        if len(reason) < SHORTEST_REASON:
            return self._site.problem("reason_missing")
        value = await self._desk.reveal(
            conversation.id, staff_id=member.agent.staff_id, field=field, reason=_short(reason)
        )
        return self._site.fragment("desk/revealed.html", value=value, seconds=REVEALED_S)

    async def _not_said(self, refused: DeskRefused, conversation_id: str, text: str) -> Response:
        """With what the text would be without personal numbers, where they are the trouble."""
        if refused.refusal is not Refusal.PERSONAL:
            return self._site.refusal(refused)
        return self._site.refusal(refused, masked=(await self._desk.check(conversation_id, text)).masked)

    def _taken(self, taken: DeskConversation, member: Member) -> Response:
        """``calling``: what is to be known of his telephone who took a caller."""
        calling = self._reading.calls.accepted(taken, member)
        return self._site.data({"conversation": taken.id} | ({"calling": calling} if calling else {}))

    async def _reasons(self) -> set[str]:
        other: str = self._site.wording.words["wrap_other"][0]
        return {code for code, _ in await self._desk.wrap_reasons()} | {other}


def _handover(request: Request) -> int:
    """The request's number in the address. Raises DeskRefused where there is none such."""
    found = number(request.path_params["handover_id"])
    if found is None:
        raise DeskRefused(Refusal.GONE)
    return found


def _short(text: str) -> str:
    """Raises DeskRefused for what is too long to be meant."""
    text = text.strip()
    if len(text) > LONGEST:
        raise DeskRefused(Refusal.TOO_LONG)
    return text


def _reason(form: Form) -> str:
    """The reason that was chosen, or the one that was written instead."""
    return form.get("other", "").strip() or form.get("reason", "").strip()
