"""Handlers for calls: how one stands, its recording, and the browser phone of who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from hotline.agent_desk import DeskRefused, Refusal
from hotline.call_store import CallRecord
from hotline.desk_store import DeskConversation, Line
from hotline.domain.messages import ChannelName
from hotline.domain.staff import Staff
from hotline.privacy.phones import phone_password
from hotline.services.calls.recordings import RecordingRefused
from web.desk.calls import CallView, Telephone, call_view, heard
from web.desk.entrance import Member
from web.desk.headers import checked_phone_url
from web.desk.site import DeskSite

GAPS_HEADER: Final = "X-Recording-Gaps"
"""Seconds from the beginning at which something was left out, separated by commas."""
REFUSED: Final[Mapping[str, tuple[str, int]]] = {
    "none": ("no_recording", 404),
    "gone": ("no_recording", 404),
    "not_allowed": ("not_to_be_heard", 403),
    "purpose": ("choose_purpose", 422),
    "unreadable": ("recording_unreadable", 500),
}


class DeskCalls:
    """One for all pages that show calls. Without a telephone no conversation has a call."""

    def __init__(self, site: DeskSite) -> None:
        self._site = site
        if site.telephone:
            checked_phone_url(site.telephone.settings.browser_phone_url)

    # --- for other pages -----------------------------------------------------------------------------------------

    async def shown(self, conversation: DeskConversation, lines: Sequence[Line], member: Member) -> dict[str, Any]:
        """What the templates want to know of a conversation's call; ``call`` None where there is none."""
        record = await self._record(conversation)
        return {
            "call": self._view(record) if record else None,
            "heard": heard(record.marks, lines) if record else {},
            "has_calls": self._site.telephone is not None,
            "may_hear": member.agent.supervises or member.audits,
        }

    def phone(self, member: Member) -> tuple[str, str]:
        """The member's extension and where his browser phone registers; both empty where he has none."""
        extension, telephone = member.agent.extension, self._site.telephone
        url = telephone.settings.browser_phone_url if telephone and extension else ""
        return (extension, url) if url else ("", "")

    def accepted(self, conversation: DeskConversation, member: Member) -> str:
        """What the agent is told who takes a caller: that his telephone rings now, or why it does not."""
        if self._site.telephone is None or conversation.channel is not ChannelName.VOICE:
            return ""
        extension = member.agent.extension
        words = self._site.wording.words
        return str(words["calling" if extension else "no_extension"]).replace("{extension}", extension)

    # --- handlers ------------------------------------------------------------------------------------------------

    async def strip(self, conversation: DeskConversation, member: Member, *, holds: bool) -> Response:
        """How the call of a conversation stands."""
        shown = await self.shown(conversation, (), member)
        return self._site.fragment("desk/call.html", conversation=conversation, holds=holds, **shown)

    async def give_phone(self, request: Request, member: Member) -> Response:
        """What the browser phone registers with."""
        extension, url = self.phone(member)
        if not url or self._site.telephone is None:
            raise DeskRefused(Refusal.NOT_ALLOWED)
        secret = self._site.telephone.settings.phone_secret
        return self._site.data(
            {
                "url": url,
                "uri": f"sip:{extension}@{urlsplit(url).hostname}",
                "extension": extension,
                "password": phone_password(secret, extension),
            }
        )

    async def recordings(self, request: Request, member: Member) -> Response:
        """A page for who looks a call up by its conversation's number."""
        if not (member.agent.supervises or member.audits):
            raise DeskRefused(Refusal.NOT_ALLOWED)
        asked = request.query_params.get("conversation", "").strip()[:64]
        script = {**self._site.wording.words["script"], "staff": member.agent.staff_id}
        return self._site.page("desk/recordings.html", member, script=script, asked=asked)

    async def card(self, request: Request, member: Member) -> Response:
        """The call of a conversation, and the form that asks why its recording is to be heard."""
        conversation = await self._site.desk.conversation(request.path_params["conversation_id"])
        record = await self._record(conversation)
        telephone, by = self._telephone(), _staff(member)
        if record is None:
            return self._site.problem("no_recording", 404)
        if not await telephone.recordings.may_hear(conversation.id, by=by):
            raise DeskRefused(Refusal.NOT_ALLOWED)
        return self._site.fragment("desk/recording.html", conversation=conversation, call=self._view(record))

    async def wav(self, request: Request, member: Member) -> Response:
        """The whole recording; the hearing is in the audit trail first. Its gaps stand in `GAPS_HEADER`."""
        purpose = request.query_params.get("purpose", "")
        if purpose not in self._site.wording.words["hearing_purposes"]:
            return self._site.problem("choose_purpose")
        telephone, by = self._telephone(), _staff(member)
        try:
            played = await telephone.recordings.read(request.path_params["call_id"], by=by, purpose=purpose)
        except RecordingRefused as refused:
            return self._site.problem(*REFUSED.get(refused.code, ("no_recording", 404)))
        gaps = ",".join(f"{each.offset_s:.1f}" for each in played.gaps)
        headers = {**played.headers, GAPS_HEADER: gaps}
        return StreamingResponse(played.content, media_type="audio/wav", headers=headers)

    # --- how -----------------------------------------------------------------------------------------------------

    def _telephone(self) -> Telephone:
        """Raises DeskRefused where there is none."""
        if self._site.telephone is None:
            raise DeskRefused(Refusal.GONE)
        return self._site.telephone

    def _view(self, record: CallRecord) -> CallView:
        recorded = self._site.telephone is not None and self._site.telephone.settings.record
        return call_view(record, wording=self._site.wording, recorded=recorded)

    async def _record(self, conversation: DeskConversation) -> CallRecord | None:
        telephone = self._site.telephone
        if telephone is None or conversation.channel is not ChannelName.VOICE:
            return None
        return await telephone.calls.of_conversation(conversation.id)


def _staff(member: Member) -> Staff:
    """Raises DeskRefused where the sign-in does not say who he is."""
    if member.staff is None:
        raise DeskRefused(Refusal.NOT_ALLOWED)
    return member.staff
