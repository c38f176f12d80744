"""Codes go out by the way of every other text message, and what goes wrong says nothing of them."""

from __future__ import annotations

from urllib.parse import parse_qs

import httpx
import pytest

from channels.sms.codes import SmsCodes
from channels.sms.rest import MessageSender
from hotline.ports import SendError, SendReason
from hotline.settings import TwilioSettings

pytestmark = pytest.mark.anyio

MOBILE, TEXT = "13800135678", "验证码135790，5分钟内有效，请勿告诉他人。"


class Carrier:
    """Takes messages, or refuses them with Twilio's error ``code``, which names the number as Twilio does."""

    def __init__(self, code: int = 0) -> None:
        self.code, self.taken = code, list[dict[str, list[str]]]()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.code:
            told = {"code": self.code, "message": f"The number +86{MOBILE} is not valid", "status": 400}
            return httpx.Response(400, json=told)
        self.taken.append(parse_qs(request.content.decode()))
        return httpx.Response(201, json={"sid": "SM" + "9" * 32})


def codes(settings: TwilioSettings, carrier: Carrier) -> SmsCodes:
    made = SmsCodes(settings, signature="广州公积金")
    made._sender = MessageSender(settings, transport=httpx.MockTransport(carrier))
    return made


@pytest.mark.parametrize(
    ("mobile", "to"),
    [(MOBILE, "+8613800135678"), ("+8613800135678", "+8613800135678"), ("+85291234567", "+85291234567")],
)
async def test_a_code_goes_to_the_whole_number_under_the_centres_signature(
    settings: TwilioSettings, mobile: str, to: str
) -> None:
    carrier = Carrier()
    await codes(settings, carrier).send(mobile, TEXT)
    (taken,) = carrier.taken
    assert (taken["To"], taken["From"], taken["Body"]) == ([to], [settings.number], [f"【广州公积金】{TEXT}"])
    assert "StatusCallback" not in taken


async def test_a_number_that_is_refused_is_not_repeated_in_the_error(settings: TwilioSettings) -> None:
    with pytest.raises(SendError) as refused:
        await codes(settings, Carrier(code=21211)).send(MOBILE, TEXT)
    assert refused.value.reason is SendReason.REJECTED
    told = f"{refused.value} {refused.value.detail}"
    assert MOBILE not in told
    assert "135790" not in told
