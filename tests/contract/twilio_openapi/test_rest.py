"""Every REST request of ours against Twilio's own description of its API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qs

import httpx
import pytest

from channels.sms.rest import MessageSender
from channels.voice.relay.control import CallControl, CallsApi
from channels.voice.relay.documents import Documents
from hotline.ports import SendError, SendReason
from hotline.settings import TwilioSettings
from tests.contract.twilio_openapi.conftest import ROOT

pytestmark = pytest.mark.anyio
CALL = "CA" + "0123456789abcdef" * 2
RECORDING = "RE" + "0123456789abcdef" * 2
PUBLIC = "https://hotline.example"
DESCRIPTION = "var/prism/node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"


class Watched(httpx.BaseTransport):
    """Real requests, and what the description says of each one's fields."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.seen: list[tuple[str, str, set[str], int]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        fields = set(parse_qs(request.read().decode(), keep_blank_values=True))
        self.seen.append((request.method, request.url.path, fields, answer.status_code))
        return answer

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    yield watched
    watched.close()


@pytest.fixture
def settings(twilio_api: str) -> TwilioSettings:
    return TwilioSettings(api_base=twilio_api)


def described(path: str) -> set[str]:
    """The fields of a POST that the description knows. Prism lets unknown ones pass, Twilio does not heed them."""
    paths = json.loads((ROOT / DESCRIPTION).read_text(encoding="utf-8"))["paths"]
    for template, methods in paths.items():
        parts, wanted = template.strip("/").split("/"), path.strip("/").split("/")
        if len(parts) == len(wanted) and all(_fits(*pair) for pair in zip(parts, wanted, strict=True)):
            form = methods["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]
            return set(form["properties"])
    raise AssertionError(f"Twilio describes no {path}")


def _fits(part: str, wanted: str) -> bool:
    name, _, ending = part.partition("}")
    return wanted.endswith(ending) if name.startswith("{") else part == wanted


def _all_described(watched: Watched) -> None:
    assert watched.seen
    for method, path, fields, status in watched.seen:
        assert (method, status < 300) == ("POST", True), path
        assert fields <= described(path), path


def test_message_is_one_that_twilio_describes(settings: TwilioSettings, watched: Watched) -> None:
    sender = MessageSender(settings, transport=watched)
    callback = f"{PUBLIC}/channels/sms/status?delivery=d1"
    assert sender.create("+8613800138000", body="【广州公积金】能提取。", status_callback=callback).startswith("SM")
    assert sender.create("+8613800138000", body="验证码123456", status_callback=None)
    _all_described(watched)
    assert watched.seen[0][2] == {"To", "From", "Body", "StatusCallback"}


def test_account_that_is_none_is_refused_as_settings(twilio_api: str, watched: Watched) -> None:
    sender = MessageSender(TwilioSettings(api_base=twilio_api, account_sid="AC1"), transport=watched)
    with pytest.raises(SendError) as caught:
        sender.create("+8613800138000", body="x", status_callback=None)
    assert caught.value.reason in (SendReason.REJECTED, SendReason.CONFIG)
    assert not caught.value.retryable


def test_recording_of_a_call(settings: TwilioSettings, watched: Watched) -> None:
    api = CallsApi(settings, PUBLIC, transport=watched)
    assert api.start_recording(CALL).startswith("RE")
    api.pause_recording(CALL, RECORDING)
    api.go_on_recording(CALL, RECORDING)
    api.stop_recording(CALL, RECORDING)
    _all_described(watched)


def test_call_is_redirected_and_ended(settings: TwilioSettings, watched: Watched) -> None:
    api = CallsApi(settings, PUBLIC, transport=watched)
    api.redirect(CALL, Documents(settings, PUBLIC).relay(CALL))
    api.complete(CALL)
    _all_described(watched)


async def test_what_twilio_does_not_describe_is_noticed_and_raises_nothing(
    settings: TwilioSettings, watched: Watched
) -> None:
    control = CallControl(CallsApi(settings, PUBLIC, transport=watched), "CA1", back=lambda: "<Response/>")
    assert not await control.complete()
    assert not await control.record(on=True)
    assert [status for *_, status in watched.seen] == [422, 422]
