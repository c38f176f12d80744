"""What the pages of quality and transcript search share: their words, their refusals, and a transcript to be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from fastapi import Request
from starlette.responses import JSONResponse, Response

from hotline.desk_store import Handover, Line
from hotline.domain.ratings import RatingCount
from hotline.errors import ConfigError
from hotline.services.desk.reviewing import Reviewing, ReviewRefused
from web.desk.entrance import Member, Names
from web.desk.forms import number
from web.desk.site import DeskSite, Handler

WORDING_FILE = Path(__file__).with_name("quality_wording.yml")
REFUSALS: Final = ("not_allowed", "words", "scores", "reason", "own", "gone")
STATUS: Final[Mapping[str, int]] = {"not_allowed": 403, "own": 403, "gone": 410}
"""Everything else is 422: what was sent has to be changed."""
LINES_SHOWN: Final = 2000
"""More than any conversation has that people wrote by hand."""


HIGHEST: Final = 2**31 - 1
"""What the databases count requests and lines up to."""


class BadInput(Exception):
    """What was sent cannot be used; the text is a code of ``problems`` in quality_wording.yml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What supervisors look back at. ``counts``: ratings asked for and answered from one day of China to another."""

    reviewing: Reviewing
    handover: Callable[[int], Awaitable[Handover | None]]
    counts: Callable[[date, date], Awaitable[Sequence[RatingCount]]]
    names: Names


def record_number(value: str | None) -> int | None:
    """The number of a request or a line, or None where there cannot be one of that number."""
    given = number(value)
    return given if given is not None and given <= HIGHEST else None


@cache
def quality_words(path: Path = WORDING_FILE) -> Mapping[str, Any]:
    """The texts. Raises: ConfigError."""
    try:
        words: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        missing = [code for code in REFUSALS if code not in words["refusals"]]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigError(f"{path.name} of the supervisors' pages cannot be read: {error}") from error
    if missing:
        raise ConfigError(f"{path.name} of the supervisors' pages words no refusal for {', '.join(missing)}")
    return words


class QualitySite:
    """The desk's site, with the refusals of who looks back."""

    def __init__(self, site: DeskSite, records: Records) -> None:
        self.desk = site
        self.records = records
        self.words = quality_words()

    def guarded(self, handler: Handler, *, supervisor: bool = True) -> Callable[[Request], Awaitable[Response]]:
        """The handler as `DeskSite.guarded` has it; what the services refuse is told in plain words."""

        async def guard(request: Request, member: Member) -> Response:
            try:
                return await handler(request, member)
            except ReviewRefused as refused:
                return self._told(refused.code, self.words["refusals"], STATUS.get(refused.code, 422))
            except BadInput as bad:
                return self._told(str(bad), self.words["problems"], 422)

        return self.desk.guarded(guard, supervisor=supervisor)

    def page(self, name: str, member: Member, *, status: int = 200, **values: Any) -> Response:
        script = {**self.desk.wording.words["script"], "staff": member.agent.staff_id}
        response = self.desk.page(f"supervisor/{name}.html", member, script=script, w=self.words, **values)
        response.status_code = status
        return response

    def html(self, name: str, **values: Any) -> str:
        return self.desk.html(f"supervisor/{name}.html", w=self.words, **values)

    async def transcript(self, conversation_id: str, member: Member) -> dict[str, Any]:
        """What the templates of a conversation want to know: all its lines and its notes, masked as they are stored.
        The look at it is in the audit trail first. Raises DeskRefused where there is no such conversation."""
        desk = self.desk.desk
        view = await desk.view(conversation_id, staff_id=member.agent.staff_id)
        show = await self.desk.showing()
        return {
            "conversation": view.conversation,
            "customer": view.customer,
            "row": show.row(view.conversation),
            "lines": await self._lines(conversation_id),
            "notes": await desk.notes(conversation_id),
            "names": await self.desk.names(),
            "has_calls": self.desk.telephone is not None,
        }

    async def _lines(self, conversation_id: str) -> list[Line]:
        found: list[Line] = []
        while len(found) < LINES_SHOWN:
            more = await self.desk.desk.lines(conversation_id, after=found[-1].seq if found else 0)
            if not more:
                break
            found.extend(more)
        return found

    def _told(self, code: str, sentences: Mapping[str, str], status: int) -> JSONResponse:
        return self.desk.data({"code": code, "message": sentences[code]}, status)
