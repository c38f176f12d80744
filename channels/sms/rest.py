"""Messages by Twilio's REST API."""

from __future__ import annotations

from collections.abc import Mapping

import httpx
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.rest import Client

from channels.twilio_rest import HttpxForTwilio
from hotline.ports import SendError, SendReason
from hotline.settings import TwilioSettings

_THROTTLED_PAUSE_S = 5.0

# https://www.twilio.com/docs/api/errors
_REASONS: Mapping[int, SendReason] = {
    21610: SendReason.RECIPIENT_GONE,  # the citizen has opted out
    21211: SendReason.REJECTED,  # not a number
    21614: SendReason.REJECTED,  # not a mobile number
    21408: SendReason.REJECTED,  # country not enabled
    21612: SendReason.REJECTED,  # no route
    20429: SendReason.THROTTLED,
    14107: SendReason.THROTTLED,
    21611: SendReason.THROTTLED,  # the sender's queue is full
    20003: SendReason.CONFIG,  # wrong account or token
    20404: SendReason.CONFIG,
    21212: SendReason.CONFIG,
    21603: SendReason.CONFIG,
    21606: SendReason.CONFIG,  # the sender is not ours
    21602: SendReason.CONTENT,  # empty
    21617: SendReason.CONTENT,  # too long
    30007: SendReason.CONTENT,  # filtered by a carrier
}


class MessageSender:
    """Creates messages. Blocking: call it in a thread."""

    def __init__(self, settings: TwilioSettings, *, transport: httpx.BaseTransport | None = None) -> None:
        self._number = settings.number
        self._http = HttpxForTwilio(settings.api_base, transport=transport)
        self._client = Client(settings.account_sid, settings.auth_token.get_secret_value(), http_client=self._http)

    def create(self, to: str, *, body: str, status_callback: str | None) -> str:
        """Twilio has taken the message; its sid. Raises SendError, with no number in its detail."""
        try:
            message = self._client.messages.create(
                to=to, from_=self._number, body=body, status_callback=status_callback
            )
        except (TwilioException, httpx.HTTPError, httpx.InvalidURL) as error:
            raise _send_error(error) from error
        except (ValueError, TypeError, AttributeError) as error:
            # A 2xx whose body is not Twilio's: perhaps a proxy's page, perhaps a message on its way.
            raise SendError(SendReason.CONNECTION, "unreadable answer", retryable=False, unknown=True) from error
        if message.error_code:
            raise _coded(message.error_code, status=200)
        return str(message.sid or "")

    def close(self) -> None:
        """Connections are closed."""
        self._http.close()


def _send_error(error: Exception) -> SendError:
    match error:
        case TwilioRestException() | TwilioServiceException():
            return _coded(error.code, status=error.status)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ProxyError():
            return SendError(SendReason.CONNECTION, "not reached", retryable=True, retry_after_s=1.0)
        case httpx.HTTPError() if not isinstance(error, httpx.UnsupportedProtocol):
            # The request was on its way when the line broke or the time ran out.
            return SendError(SendReason.CONNECTION, type(error).__name__, retryable=False, unknown=True)
        case _:
            return SendError(SendReason.CONFIG, "the client refuses its own settings", retryable=False)


def _coded(code: object, *, status: int) -> SendError:
    detail = f"twilio {code}, http {status}"
    reason = _REASONS.get(code) if isinstance(code, int) else None
    if reason is None and status in (401, 403):
        reason = SendReason.CONFIG
    if reason is SendReason.THROTTLED or status == 429:
        return SendError(SendReason.THROTTLED, detail, retryable=True, retry_after_s=_THROTTLED_PAUSE_S)
    if reason is None and status == 503:
        return SendError(SendReason.CONNECTION, detail, retryable=True, retry_after_s=_THROTTLED_PAUSE_S)
    if reason is None and status >= 500:
        return SendError(SendReason.CONNECTION, detail, retryable=False, unknown=True)
    return SendError(reason or SendReason.REJECTED, detail, retryable=False)
