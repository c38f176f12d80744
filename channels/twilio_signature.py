"""Twilio's webhooks, believed only when Twilio signed them. Shared by the SMS and telephone channels.

The signature covers the public address, query included, and every form field
(https://www.twilio.com/docs/usage/security#validating-requests), so everything in a verified form,
and every query parameter this application put into its own action addresses, can be trusted.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

from hotline.ports import RefusedRequest, WebhookRequest
from hotline.settings import TwilioSettings

_FORM = "application/x-www-form-urlencoded"
_MAX_FIELDS = 100
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def path_of(request: WebhookRequest) -> str:
    """The path of the public address, without a trailing slash."""
    return urlsplit(request.url).path.rstrip("/")


def verified_form(request: WebhookRequest, settings: TwilioSettings) -> dict[str, str]:
    """The request's fields, each present once, signed by Twilio and meant for our account.

    Raises:
        RefusedRequest: 405 for another method, 400 for a body that is not a clean form,
            403 for a missing or wrong signature or another account.
    """
    if request.method.upper() != "POST":
        raise RefusedRequest(405, "Twilio is configured to POST")
    signature = request.headers.get("x-twilio-signature", "")
    if not signature:
        raise RefusedRequest(403, "not signed")
    form = _parse(request)
    validator = RequestValidator(settings.auth_token.get_secret_value())
    if not validator.validate(request.url, form, signature):
        raise RefusedRequest(403, "wrong signature")
    if form.get("AccountSid") != settings.account_sid:
        raise RefusedRequest(403, "another account")
    return form


def required(form: dict[str, str], name: str, *, pattern: re.Pattern[str]) -> str:
    """The field's value, which has the given form.

    Raises:
        RefusedRequest: 400 when it is missing or has another form.
    """
    value = form.get(name, "")
    if not pattern.fullmatch(value):
        raise RefusedRequest(400, f"{name} is missing or malformed")
    return value


def _parse(request: WebhookRequest) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _FORM:
        raise RefusedRequest(400, "not a form")
    try:
        body = request.body.decode("ascii")
        pairs = parse_qsl(
            body, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise RefusedRequest(400, "unreadable form") from error
    if _BROKEN_ESCAPE.search(body):
        raise RefusedRequest(400, "unreadable form")
    form = dict(pairs)
    if len(form) != len(pairs):
        raise RefusedRequest(400, "a field is there twice")
    return form
