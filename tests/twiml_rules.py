"""What Twilio takes as TwiML, for the verbs that are used here: elements, their nesting, attributes and values.

Twilio ignores an attribute it does not know and stops at a verb it does not know (error 12200), so a misspelt one is
noticed here or not at all. The tables follow https://www.twilio.com/docs/voice/twiml and its page for each verb, and
https://www.twilio.com/docs/messaging/twiml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree

_URL = r"https?://[^\s]+|/[^\s]*"
_BOOL = "true|false"
_METHOD = "POST|GET"
_INTERRUPTIBLE = "none|dtmf|speech|any|true|false"
_LANGUAGE = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?|multi"
_EVENTS = "initiated|ringing|answered|completed"
_SECONDS = r"\d{1,3}"
_FULL_URL = r"https?://[^\s]+"


@dataclass(frozen=True)
class Rule:
    """``attributes``: name to the form of its value; ``inside``: elements that may be in it; ``text``: form of its
    text, None: it has none; ``needs``: attributes that must be there; ``most``: how many children it may have."""

    attributes: Mapping[str, str] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()
    text: str | None = None
    needs: frozenset[str] = frozenset()
    most: int | None = None


_SAY = Rule({"voice": r"[A-Za-z0-9.-]+", "language": _LANGUAGE, "loop": r"\d+"}, text=r"(?s).{1,4096}")
_WHISPERED = {"url": _FULL_URL, "method": _METHOD, "statusCallback": _FULL_URL, "statusCallbackEvent": _EVENTS}

VOICE: Mapping[str, Rule] = {
    "Response": Rule(
        inside=frozenset(
            {"Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Dial", "Connect", "Enqueue", "Reject"}
        )
    ),
    "Say": _SAY,
    "Play": Rule({"loop": r"\d+", "digits": r"[0-9wW*#]+"}, text=_FULL_URL),
    "Pause": Rule({"length": r"\d{1,3}"}),
    "Gather": Rule(
        {
            "input": "dtmf|speech|dtmf speech|speech dtmf",
            "action": _URL,
            "method": _METHOD,
            "timeout": r"\d{1,3}|auto",
            "speechTimeout": r"\d{1,3}|auto",
            "maxSpeechTime": r"\d{1,2}",
            "numDigits": r"[1-9]\d*",
            "finishOnKey": r"[0-9#*]|",
            "language": _LANGUAGE,
            "hints": r"[^,]{1,100}(,[^,]{1,100}){0,499}",
            "bargeIn": _BOOL,
            "profanityFilter": _BOOL,
            "actionOnEmptyResult": _BOOL,
            "partialResultCallback": _FULL_URL,
            "partialResultCallbackMethod": _METHOD,
            "speechModel": r"[a-z0-9_-]+",
            "enhanced": _BOOL,
        },
        inside=frozenset({"Say", "Play", "Pause"}),
    ),
    "Redirect": Rule({"method": _METHOD}, text=_URL),
    "Hangup": Rule(),
    "Reject": Rule({"reason": "rejected|busy"}),
    "Connect": Rule(
        {"action": _FULL_URL, "method": _METHOD},
        inside=frozenset({"ConversationRelay"}),
        needs=frozenset({"action"}),
        most=1,
    ),
    "ConversationRelay": Rule(
        {
            "url": r"wss?://[^\s?]+",
            "language": _LANGUAGE,
            "ttsLanguage": _LANGUAGE,
            "transcriptionLanguage": _LANGUAGE,
            "ttsProvider": "Google|Amazon|ElevenLabs",
            "voice": r"[A-Za-z0-9._-]+",
            "transcriptionProvider": "Google|Deepgram",
            "speechModel": r"[a-z0-9_-]+",
            "profanityFilter": _BOOL,
            "dtmfDetection": _BOOL,
            "partialPrompts": _BOOL,
            "welcomeGreeting": r".{1,4096}",
            "welcomeGreetingInterruptible": _INTERRUPTIBLE,
            "interruptible": _INTERRUPTIBLE,
            "interruptSensitivity": "high|medium|low",
            "preemptible": _BOOL,
            "hints": r"[^,]{1,100}(,[^,]{1,100}){0,499}",
            "reportInputDuringAgentSpeech": "none|dtmf|speech|any",
            "ignoreBackchannel": _BOOL,
            "speechTimeout": r"auto|[1-5]?\d{3}",
            "events": "(speaker-events|tokens-played)( (speaker-events|tokens-played))?",
        },
        inside=frozenset({"Language", "Parameter"}),
        needs=frozenset({"url"}),
    ),
    "Language": Rule({"code": _LANGUAGE, "ttsProvider": r"\w+", "voice": r".+", "transcriptionProvider": r"\w+"}),
    "Parameter": Rule({"name": r"[A-Za-z]\w{0,63}", "value": r".{1,500}"}, needs=frozenset({"name", "value"})),
    "Dial": Rule(
        {
            "action": _FULL_URL,
            "method": _METHOD,
            "timeout": r"[5-9]|[1-9]\d|[1-5]\d\d|600",
            "timeLimit": r"\d+",
            "callerId": r"\+\d{3,15}",
            "answerOnBridge": _BOOL,
            "record": "do-not-record|record-from-answer(-dual)?|record-from-ringing(-dual)?",
            "recordingStatusCallback": _FULL_URL,
            "recordingStatusCallbackEvent": r"[a-z -]+",
        },
        inside=frozenset({"Number", "Sip", "Client", "Queue"}),
        text=r"|\+\d{3,15}",
    ),
    "Number": Rule(_WHISPERED, text=r"\+\d{3,15}"),
    "Sip": Rule(_WHISPERED, text=r"sips?:[^\s<>]{1,1200}"),
    "Enqueue": Rule(
        {
            "action": _FULL_URL,
            "method": _METHOD,
            "waitUrl": _FULL_URL,
            "waitUrlMethod": _METHOD,
            "workflowSid": r"WW[0-9a-f]{32}",
        },
        inside=frozenset({"Task"}),
        text=r"|\S{1,64}",
        most=1,
    ),
    "Task": Rule({"priority": r"\d+", "timeout": _SECONDS}, text=r"\{.*\}"),
}

MESSAGING: Mapping[str, Rule] = {
    "Response": Rule(inside=frozenset({"Message", "Redirect"})),
    "Message": Rule(
        {"to": r"\+\d{3,15}", "from": r"\+\d{3,15}", "action": _FULL_URL, "method": _METHOD},
        inside=frozenset({"Body", "Media"}),
        text=r"(?s).{0,1600}",
    ),
    "Body": Rule(text=r"(?s).{1,1600}"),
}

_LAST = frozenset({"Redirect", "Hangup", "Connect", "Reject", "Enqueue"})
"""Nothing after one of these is reached."""
_LONGEST = 64_000


def wrong_with(document: str, rules: Mapping[str, Rule] = VOICE) -> list[str]:
    """What Twilio would not take, or not heed, of the document; empty: all is well."""
    if len(document.encode()) > _LONGEST:
        return ["too long"]
    root = ElementTree.fromstring(document)  # noqa: S314 - our own document
    if root.tag != "Response":
        return [f"root is {root.tag}"]
    return [*_unreached(root), *_element(root, rules)]


def _unreached(root: ElementTree.Element) -> Iterator[str]:
    for number, verb in enumerate(root):
        if verb.tag in _LAST and number + 1 < len(root):
            yield f"what follows {verb.tag} is not reached"


def _element(element: ElementTree.Element, rules: Mapping[str, Rule]) -> Iterator[str]:
    rule = rules.get(element.tag)
    if rule is None:
        yield f"no such element: {element.tag}"
        return
    yield from _attributes(element, rule)
    text = (element.text or "").strip()
    if not re.fullmatch(rule.text or "", text):
        yield f"{element.tag}: text {text[:40]!r}"
    if rule.most is not None and len(element) > rule.most:
        yield f"{element.tag}: more than {rule.most} inside"
    for child in element:
        if child.tag not in rule.inside:
            yield f"{child.tag} in {element.tag}"
        if (child.tail or "").strip():
            yield f"text between the elements of {element.tag}"
        yield from _element(child, rules)


def _attributes(element: ElementTree.Element, rule: Rule) -> Iterator[str]:
    for name in rule.needs - set(element.attrib):
        yield f"{element.tag}: {name} is missing"
    for name, value in element.attrib.items():
        form = rule.attributes.get(name)
        if form is None:
            yield f"{element.tag}: no such attribute: {name}"
        elif not re.fullmatch(form, value):
            yield f"{element.tag}: {name}={value!r}"
