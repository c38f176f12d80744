"""People at the real doors of a running stack: the chat page, the WeChat account, text messages and the telephone.

They prove who they are on the identity page, as a browser without script fills it in, with the codes that the sandbox's
carrier brings.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Protocol

import httpx

from channels.webchat.visitors import Visitors
from tests.stack import Stack

ANSWER_LIMIT_S = 25.0
Person = Mapping[str, Any]
"""A member of sandbox/fund/cast.yml as the core system's control tells him, secrets included."""


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: its texts and what it offers, label to address ("" where choosing it only says something)."""

    text: str
    choices: Mapping[str, str] = field(default_factory=dict)


class Citizen(Protocol):
    """Somebody in one conversation on one channel."""

    channel: str

    def say(self, text: str) -> Said: ...

    def hear(self, seconds: float = ANSWER_LIMIT_S) -> Said:
        """What is said without being asked for. Raises AssertionError when nothing comes."""
        ...

    def browser(self) -> httpx.Client:
        """Where a link of this conversation opens."""
        ...

    @property
    def address(self) -> str:
        """Whose conversation it is, as the gateway's tables name him."""
        ...

    def close(self) -> None: ...


def client(base_url: str, *, timeout: float | None = 30) -> httpx.Client:
    """Somebody's connection to this machine; it trusts nobody, and is not asked to."""
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=base_url, timeout=timeout, verify=trust, trust_env=False)


def cast(stack: Stack) -> dict[str, dict[str, Any]]:
    """Everybody of sandbox/fund/cast.yml with the secrets the sandbox tells, by key."""
    with client(stack.core_system) as core:
        return {person["key"]: person for person in core.get("/control/cast").json()["cast"]}


class WebCitizen:
    """Somebody with the chat page open, in a browser of his own."""

    channel = "web"

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = client(stack.gateway)
        self._http.get("/chat").raise_for_status()
        self._seen = 0

    @property
    def address(self) -> str:
        cookies = "; ".join(f"{name}={value}" for name, value in self._http.cookies.items())
        visitors = Visitors(self._stack.settings.gateway.session_secret, secure=False)
        return str(visitors.recognise(cookies))

    def say(self, text: str) -> Said:
        body = {"id": str(uuid.uuid4()), "text": text}
        headers = {"Origin": self._stack.gateway}
        _patiently(lambda: self._http.post("/chat/messages", json=body, headers=headers)).raise_for_status()
        return self.hear()

    def hear(self, seconds: float = ANSWER_LIMIT_S) -> Said:
        until, pause = time.monotonic() + seconds, 0.1
        while time.monotonic() < until:
            page = _patiently(lambda: self._http.get("/chat/history", params={"after": self._seen}))
            lines = page.raise_for_status().json()["lines"]
            if told := [line for line in lines if line["author"] != "citizen"]:
                self._seen = max(line["seq"] for line in lines)
                return _said(told)
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        raise AssertionError("nothing came")

    def browser(self) -> httpx.Client:
        return self._http

    def close(self) -> None:
        self._http.close()


class WeChatCitizen:
    """Somebody at one of the sandbox's WeChat phones."""

    channel = "wechat"

    def __init__(self, stack: Stack, number: int = 0) -> None:
        self._http = client(stack.sandbox)
        self._openid = str(self._http.get("/phone/account").json()["citizens"][number]["openid"])
        self._events: list[dict[str, Any]] = []
        self._read = 0
        self._gateway = stack.gateway
        self._opened = client(self._gateway)
        self._listening = threading.Event()
        threading.Thread(target=self._listen, args=(stack.sandbox,), daemon=True).start()
        assert self._listening.wait(10)
        self.begin_anew()

    @property
    def address(self) -> str:
        return self._openid

    def begin_anew(self) -> None:
        """The account was left and is followed again: a new conversation, in a browser that knows nothing."""
        self._opened.close()
        self._opened = client(self._gateway)
        self._opened.cookies.set("sandbox_openid", self._openid, domain="127.0.0.1", path="/connect")
        self._http.post("/phone/unfollow", json={"openid": self._openid}).raise_for_status()
        time.sleep(1.1)  # WeChat's times are whole seconds: a message in the second of one before it opens no window
        self._read = len(self._events)
        self._http.post("/phone/follow", json={"openid": self._openid}).raise_for_status()
        self.hear()

    def say(self, text: str) -> Said:
        self._read = len(self._events)
        self._http.post("/phone/say", json={"openid": self._openid, "text": text}).raise_for_status()
        return self.hear()

    def hear(self, seconds: float = ANSWER_LIMIT_S) -> Said:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if any(_is_told(event) for event in self._events[self._read :]):
                time.sleep(0.05)  # a long answer comes in several bubbles
                unread = self._events[self._read :]
                self._read += len(unread)
                return _wechat_said(filter(_is_told, unread))
            time.sleep(0.05)
        raise AssertionError("nothing came")

    def browser(self) -> httpx.Client:
        return self._opened

    def close(self) -> None:
        self._opened.close()
        self._http.close()

    def _listen(self, sandbox: str) -> None:
        try:
            with (
                client(sandbox, timeout=None) as phone,
                phone.stream("GET", "/phone/events", params={"openid": self._openid}) as events,
            ):
                self._listening.set()
                for line in events.iter_lines():
                    if line.startswith("data:"):
                        self._events.append(json.loads(line.removeprefix("data:")))
        except httpx.HTTPError:
            return


class _Line:
    """What SMS and the telephone have in common: nothing is heard that was not asked for, and no link can be opened."""

    def __init__(self, stack: Stack, number: str) -> None:
        self._http = client(stack.sandbox)
        self._number = f"+86{number}"

    @property
    def address(self) -> str:
        return self._number

    def hear(self, seconds: float = ANSWER_LIMIT_S) -> Said:
        raise AssertionError("nothing comes by itself here")

    def browser(self) -> httpx.Client:
        raise AssertionError("there is no link here")

    def close(self) -> None:
        self._http.close()


class SmsCitizen(_Line):
    """Somebody who sends text messages from ``number``."""

    channel = "sms"

    def say(self, text: str) -> Said:
        sent = {"from": self._number, "text": text}
        answer = self._http.post("/twilio/sandbox/text", json=sent).raise_for_status().json()
        return Said("\n".join(message["body"] for message in answer["answers"]))


class VoiceCitizen(_Line):
    """Somebody on the telephone. What he says in keys alone he presses."""

    channel = "voice"

    def __init__(self, stack: Stack, number: str) -> None:
        super().__init__(stack, number)
        call = self._http.post("/twilio/sandbox/call/start", json={"from": self._number}).raise_for_status()
        self._sid = call.json()["call_sid"]

    def say(self, text: str) -> Said:
        pressed = bool(text) and set(text) <= set("0123456789*#")
        how, what = ("press", {"digits": text}) if pressed else ("say", {"text": text})
        answer = self._http.post(f"/twilio/sandbox/call/{how}", json={"call_sid": self._sid, **what})
        return Said("\n".join(each["text"] for each in answer.raise_for_status().json()["heard"]))


class IdentityPage:
    """The sign-in behind a link, in one browser. ``shows`` is what the page says now."""

    def __init__(self, stack: Stack, browser: httpx.Client, link: str) -> None:
        self._stack = stack
        self._browser = browser
        self._page = _patiently(lambda: browser.get(link, follow_redirects=True))

    @property
    def shows(self) -> str:
        text = re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", self._page.text, flags=re.S)
        return re.sub(r"\s+", " ", unescape(text)).strip()

    @property
    def wants_code(self) -> bool:
        return 'name="code"' in self._page.text

    def give_numbers(self, **form: str) -> None:
        """The first form, with a tick under the notice unless ``consent`` says otherwise."""
        self._post("prove", {"factor": "query_password", "consent": "yes", **form})

    def give_code(self, code: str) -> None:
        self._post("confirm", {"code": code})

    def _post(self, step: str, form: Mapping[str, str]) -> None:
        headers = {"Origin": self._stack.gateway, "Sec-Fetch-Site": "same-origin"}
        hidden = (dict(_ATTRIBUTE.findall(tag)) for tag in _HIDDEN.findall(self._page.text))
        known = {each["name"]: unescape(each.get("value", "")) for each in hidden}
        address = f"{self._stack.gateway}/id/{step}"
        sent = {**known, **form}
        self._page = _patiently(lambda: self._browser.post(address, data=sent, headers=headers, follow_redirects=True))


def newest_code(stack: Stack, mobile: str) -> str:
    """Of the codes the carrier brought to ``mobile``."""
    with client(stack.sandbox) as carrier:
        messages = carrier.get("/twilio/outbox", params={"to": f"+86{mobile}"}).json()
    codes = [found[1] for message in messages if (found := _CODE.search(message["body"]))]
    assert codes, "no code was sent"
    return str(codes[-1])


def prove_on_page(stack: Stack, citizen: Citizen, person: Person, link: str, *, by: str = "query_password") -> Said:
    """``person`` proves himself behind the link with his password, or with his ``bank_card``; what is said then."""
    page = IdentityPage(stack, citizen.browser(), link)
    secret = person["password"] if by == "query_password" else person["card_number"]
    page.give_numbers(id_number=person["id_number"], factor=by, **{by: secret})
    assert page.wants_code, page.shows[:600]
    page.give_code(newest_code(stack, person["mobile"]))
    assert not page.wants_code, page.shows[:600]
    return citizen.hear()


def prove_by_keypad(stack: Stack, citizen: Citizen, person: Person) -> Said:
    """``person`` agrees and keys in his numbers, after the telephone has asked for them; what is said then."""
    citizen.say("1")
    citizen.say(f"{person['id_number'].replace('X', '*')}#")
    citizen.say(f"{person['password']}#")
    return citizen.say(f"{newest_code(stack, person['mobile'])}#")


_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")
_LINK = re.compile(r'<a href="([^"]*)">([^<]*)</a>')


def _patiently(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The answer, after the pauses the pages' limits ask for; nothing is taken before."""
    while (answer := ask()).status_code == 429:
        time.sleep(float(answer.headers.get("retry-after", 1)))
    return answer


def _said(lines: Iterable[Mapping[str, Any]]) -> Said:
    told = list(lines)
    choices = {choice["label"]: choice.get("url", "") for line in told for choice in line["choices"]}
    return Said("\n".join(line["text"] for line in told), choices)


def _is_told(event: Mapping[str, Any]) -> bool:
    return event.get("author") == "account"


def _wechat_said(events: Iterable[Mapping[str, Any]]) -> Said:
    text = "\n".join(str(event.get("text", "")) for event in events)
    links = {label: "" if address.startswith("weixin:") else address for address, label in _LINK.findall(text)}
    return Said(_LINK.sub(r"\2", text), links)
