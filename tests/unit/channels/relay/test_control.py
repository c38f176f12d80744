"""What is done to calls by REST: recording above all, which must not go on while something secret is keyed in."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest
from relay_kit import CALL
from structlog.testing import capture_logs

from channels.voice.relay.control import CallControl, CallsApi
from hotline.settings import TwilioSettings

pytestmark = pytest.mark.anyio
RECORDING = "RE" + "1" * 32
BASE = "https://twilio.example"


class Twilio:
    """Takes requests, or fails those whose path and body have ``failing`` in them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str]]] = []
        self.failing = "nothing"
        self.answer: httpx.Response | Exception | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        form = {name: values[-1] for name, values in parse_qs(request.content.decode()).items()}
        self.taken.append((request.url.path.rpartition(CALL)[2], form))
        if self.failing in f"{request.url.path} {form}":
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer or httpx.Response(500, json={"code": 20500, "message": "x", "status": 500})
        return httpx.Response(201, json={"sid": RECORDING if "Recordings" in request.url.path else CALL})


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
def control(twilio: Twilio) -> CallControl:
    api = CallsApi(TwilioSettings(api_base=BASE), "https://hotline.example", transport=httpx.MockTransport(twilio))
    return CallControl(api, CALL, back=lambda: "<Response/>")


async def test_recording_begins_once_pauses_and_goes_on(control: CallControl, twilio: Twilio) -> None:
    for on in (True, True, False, False, True):
        assert await control.record(on=on)
    paths = [path for path, _ in twilio.taken]
    assert paths == ["/Recordings.json", f"/Recordings/{RECORDING}.json", f"/Recordings/{RECORDING}.json"]
    begun, paused, gone_on = (form for _, form in twilio.taken)
    assert begun["RecordingStatusCallback"] == "https://hotline.example/channels/voice/recording"
    assert (paused["Status"], paused["PauseBehavior"], gone_on["Status"]) == ("paused", "silence", "in-progress")


async def test_pausing_what_was_never_recorded_asks_twilio_nothing(control: CallControl, twilio: Twilio) -> None:
    assert await control.record(on=False)
    assert twilio.taken == []


async def test_recording_that_cannot_be_paused_is_ended(control: CallControl, twilio: Twilio) -> None:
    await control.record(on=True)
    twilio.failing = "paused"
    assert await control.record(on=False)
    assert twilio.taken[-1][1] == {"Status": "stopped"}
    await control.record(on=True)
    assert twilio.taken[-1][0] == "/Recordings.json"


async def test_recording_that_cannot_be_ended_either_is_told(control: CallControl, twilio: Twilio) -> None:
    await control.record(on=True)
    twilio.failing = f"Recordings/{RECORDING}"
    assert not await control.record(on=False)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        httpx.Response(200, text="<html>"),
        httpx.Response(404, json={"code": 20404, "message": "not found", "status": 404}),
        httpx.ConnectTimeout("late"),
        httpx.ReadError("cut"),
    ],
)
async def test_twilio_that_does_not_answer_raises_nothing(
    control: CallControl, twilio: Twilio, answer: httpx.Response | Exception | None
) -> None:
    twilio.failing, twilio.answer = "Calls", answer
    with capture_logs() as logs:
        assert not await control.complete()
        assert not await control.record(on=True)
        assert not await control.bring_back()
    assert CALL not in str(logs)
    assert {entry["event"] for entry in logs} == {"voice.relay.rest_failed"}


async def test_call_is_brought_back_with_a_document_and_ended_by_its_status(
    control: CallControl, twilio: Twilio
) -> None:
    assert await control.bring_back()
    assert await control.complete()
    assert [form for _, form in twilio.taken] == [{"Twiml": "<Response/>"}, {"Status": "completed"}]
