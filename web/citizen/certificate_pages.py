"""What people see about certificates: the form, the results of verifying, and why one is not handed out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from hotline.certificates.facts import masked_facts, rows
from hotline.certificates.wording import label
from hotline.domain.fund import Certificate
from hotline.errors import ConfigError
from knowledge_base.model import Centre
from web.citizen.guard import PAGE_HEADERS

TEMPLATES = Path(__file__).with_name("templates")
WORDING_FILE = Path(__file__).with_name("certificate_wording.yml")
LONGEST = 64
"""Characters of a number or a check code."""

_POLICY = "Content-Security-Policy"
_HEADERS = dict(PAGE_HEADERS) | {_POLICY: PAGE_HEADERS[_POLICY].replace("form-action 'none'", "form-action 'self'")}
_HEAD = ("kind", "number", "name", "id_number", "issued_on", "valid_until")
"""Facts of every certificate that was found; a valid one also shows what it states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    """``state`` chooses the colour, ``facts`` are labels and values."""

    state: str
    title: str
    hint: str
    facts: Sequence[tuple[str, str]] = ()


class CertificatePages:
    """Renders the pages of one centre. ``sample``: certificates here prove nothing, and the page says so."""

    def __init__(self, centre: Centre, *, sample: bool) -> None:
        self._centre = centre
        self._sample = sample
        self._wording = _load(centre.hotline)
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    def form(self, *, number: str, code: str) -> HTMLResponse:
        """The form as it is first seen, with what the scanned address said."""
        return self._verify(None, number=number[:LONGEST], code=code[:LONGEST])

    def found(self, certificate: Certificate, *, expired: bool) -> HTMLResponse:
        """A certificate of the centre's, in force or not; name and ID number masked."""
        stated = masked_facts(certificate)
        of_its_kind = [key for row in rows(certificate) for key in row if key not in _HEAD]
        keys = [*_HEAD, *([] if expired else of_its_kind)]
        state = "expired" if expired else "valid"
        return self._verify(self._result(state, facts=[(label(key), stated[key]) for key in keys]))

    def problem(self, state: str, status: int, *, number: str = "", code: str = "", wait_s: int = 0) -> HTMLResponse:
        """Nothing was found or looked for; the form holds what was typed."""
        response = self._verify(self._result(state), status, number=number[:LONGEST], code=code[:LONGEST])
        return _with_wait(response, wait_s)

    def notice(self, key: str, status: int, *, wait_s: int = 0) -> HTMLResponse:
        """Why a certificate is not handed out."""
        words = self._wording["notices"][key]
        result = _Result(state="notice", title=words["title"], hint=words["hint"])
        template = self._templates.get_template("certificate_notice.html")
        html = template.render(centre=self._centre, t=self._wording["notice"], result=result)
        return _with_wait(HTMLResponse(html, status, headers=_HEADERS), wait_s)

    def _verify(self, result: _Result | None, status: int = 200, *, number: str = "", code: str = "") -> HTMLResponse:
        html = self._templates.get_template("certificate_verify.html").render(
            centre=self._centre,
            t=self._wording["verify"],
            result=result,
            number=number,
            code=code,
            sample=self._sample,
        )
        return HTMLResponse(html, status, headers=_HEADERS)

    def _result(self, state: str, *, facts: Sequence[tuple[str, str]] = ()) -> _Result:
        words = self._wording["results"][state]
        return _Result(state=state, title=words["title"], hint=words["hint"], facts=facts)


def _with_wait(response: HTMLResponse, wait_s: int) -> HTMLResponse:
    if wait_s:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _load(hotline: str) -> Mapping[str, Any]:
    """The texts with the centre's telephone number in them. Raises: ConfigError."""
    try:
        text = WORDING_FILE.read_text(encoding="utf-8").replace("{hotline}", hotline)
        loaded: Mapping[str, Any] = yaml.safe_load(text)
        return loaded
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{WORDING_FILE.name} cannot be read: {error}") from error
