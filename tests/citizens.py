"""People at the real doors: the chat page and the WeChat account of a running stack, proof of identity included."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from typing import Any, Protocol

import httpx

from tests.stack import Stack

ANSWER_LIMIT_S = 25.0
_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_ATTRIBUTE = re.compile(r'(name|value)="([^"]*)"')
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")


@dataclass(frozen=True, slots=True)
class Said:
    """One answer: its texts and what it offers, label to address ("" where choosing it only says something)."""

    text: str
    choices: dict[str, str]


class Citizen(Protocol):
    def say(self, text: str) -> Said: ...

    def prove(self, person: dict[str, Any], link: str) -> Said:
        """Opens the link and proves to be ``person`` of the cast; what the conversation then says."""
        ...

    def close(self) -> None: ...


def cast(stack: Stack) -> dict[str, dict[str, Any]]:
    """Everybody of sandbox/fund/cast.yml with the secrets the sandbox tells, by key."""
    found = httpx.get(f"{stack.core_system}/control/cast", timeout=10, trust_env=False).json()["cast"]
    return {person["key"]: person for person in found}


class WebCitizen:
    """Somebody with the chat page open."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._http = httpx.Client(base_url=stack.gateway, timeout=30, trust_env=False)
        self._http.get("/chat").raise_for_status()
        self._seen = 0

    def say(self, text: str) -> Said:
        body = {"id": str(uuid.uuid4()), "text": text}
        headers = {"Origin": self._stack.gateway}
        while (sent := self._http.post("/chat/messages", json=body, headers=headers)).status_code == 429:
            time.sleep(float(sent.headers.get("retry-after", 1)))
        sent.raise_for_status()
        return self._answer()

    def prove(self, person: dict[str, Any], link: str) -> Said:
        prove_on_page(self._stack, self._http, person, link)
        return self._answer()

    def fetch(self, address: str) -> httpx.Response:
        """A page of ours in the same browser."""
        return self._http.get(address)

    def close(self) -> None:
        self._http.close()

    def _answer(self) -> Said:
        until = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < until:
            lines = self._http.get("/chat/history", params={"after": self._seen}).json()["lines"]
            told = [line for line in lines if line["author"] != "citizen"]
            if told:
                self._seen = max(line["seq"] for line in lines)
                return _said(told)
            time.sleep(0.1)
        raise AssertionError("nothing came")


class WeChatCitizen:
    """Somebody at the sandbox's WeChat phone."""

    def __init__(self, stack: Stack, number: int = 0) -> None:
        self._stack = stack
        self._http = httpx.Client(base_url=stack.sandbox, timeout=30, trust_env=False)
        self._openid = self._http.get("/phone/account").json()["citizens"][number]["openid"]
        self._events: list[dict[str, Any]] = []
        self._read = 0
        self._listening = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        self._listening.wait(10)
        self._http.post("/phone/follow", json={"openid": self._openid}).raise_for_status()
        time.sleep(0.5)
        self._read = len(self._events)

    def say(self, text: str) -> Said:
        self._read = len(self._events)
        self._http.post("/phone/say", json={"openid": self._openid, "text": text}).raise_for_status()
        return self._answer()

    def prove(self, person: dict[str, Any], link: str) -> Said:
        self._read = len(self._events)
        with httpx.Client(timeout=30, trust_env=False) as browser:
            browser.cookies.set("sandbox_openid", self._openid, domain="127.0.0.1", path="/connect")
            prove_on_page(self._stack, browser, person, link)
        return self._answer()

    def fetch(self, address: str) -> httpx.Response:
        """A page of ours in WeChat's browser."""
        return httpx.get(address, timeout=30, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def _listen(self) -> None:
        params = {"openid": self._openid}
        client = httpx.Client(base_url=self._stack.sandbox, timeout=None, trust_env=False)
        try:
            with client, client.stream("GET", "/phone/events", params=params) as events:
                self._listening.set()
                for line in events.iter_lines():
                    if line.startswith("data:"):
                        self._events.append(json.loads(line.removeprefix("data:")))
        except httpx.HTTPError:
            return

    def _answer(self) -> Said:
        until = time.monotonic() + ANSWER_LIMIT_S
        while time.monotonic() < until:
            told = [event for event in self._events[self._read :] if event.get("author") == "account"]
            if told:
                self._read = len(self._events)
                return _wechat_said(told)
            time.sleep(0.1)
        raise AssertionError(f"nothing came: {self._events[self._read :]}")


def prove_on_page(stack: Stack, browser: httpx.Client, person: dict[str, Any], link: str) -> None:
    """All steps of the identity page, as a browser without script does them."""
    page = browser.get(link, follow_redirects=True)
    page.raise_for_status()
    form = {
        **_hidden(page.text),
        "id_number": person["id_number"],
        "factor": "query_password",
        "query_password": person["password"],
        "consent": "yes",
    }
    sent_before = len(_codes(stack, person["mobile"]))
    address, headers = stack.gateway, {"Origin": stack.gateway, "Sec-Fetch-Site": "same-origin"}
    page = browser.post(f"{address}/id/prove", data=form, headers=headers, follow_redirects=True)
    codes = _codes(stack, person["mobile"])
    assert len(codes) > sent_before, f"no code was sent: {_plain(page.text)}"
    code = {**_hidden(page.text), "code": codes[-1]}
    page = browser.post(f"{address}/id/confirm", data=code, headers=headers, follow_redirects=True)
    assert 'name="code"' not in page.text, _plain(page.text)


def _codes(stack: Stack, mobile: str) -> list[str]:
    outbox = httpx.get(f"{stack.sandbox}/twilio/outbox", params={"to": f"+86{mobile}"}, timeout=10, trust_env=False)
    return [found[1] for message in outbox.json() if (found := _CODE.search(message["body"]))]


def _hidden(page: str) -> dict[str, str]:
    fields = (dict(_ATTRIBUTE.findall(tag)) for tag in _HIDDEN.findall(page))
    return {field["name"]: unescape(field.get("value", "")) for field in fields}


def _plain(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", page, flags=re.S))[:600]


def _said(lines: Iterable[dict[str, Any]]) -> Said:
    told = list(lines)
    choices = {choice["label"]: choice.get("url", "") for line in told for choice in line["choices"]}
    return Said("\n".join(line["text"] for line in told), choices)


_LINK = re.compile(r'<a href="([^"]*)">([^<]*)</a>')


def _wechat_said(events: Iterable[dict[str, Any]]) -> Said:
    text = "\n".join(str(event.get("text", "")) for event in events)
    links = {label: "" if address.startswith("weixin:") else address for address, label in _LINK.findall(text)}
    return Said(_LINK.sub(r"\2", text), links)
