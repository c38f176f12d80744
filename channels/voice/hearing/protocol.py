"""The recognisers' protocol over a WebSocket (docs/speech.md): what both ends send and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.voice.line import RATE

MOST_MESSAGE_BYTES: Final = 64 * 1024
"""Two seconds of sound; nobody sends more in one message."""
MOST_HINTS: Final = 200


class BadFrame(ValueError):
    """What came is not of the protocol."""


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Begin(_Frame):
    """A new utterance, whose sound follows in binary messages: PCM, 16 bit, little-endian, mono."""

    type: Literal["begin"] = "begin"
    utterance: int = Field(ge=0)
    """The client counts; everything about this utterance carries it."""
    rate: Literal[8000] = RATE
    hints: tuple[Annotated[str, Field(max_length=40)], ...] = Field(default=(), max_length=MOST_HINTS)


class Finish(_Frame):
    """All sound has come; the final result is wanted."""

    type: Literal["finish"] = "finish"
    utterance: int


class Cancel(_Frame):
    """Nobody waits for the result any more."""

    type: Literal["cancel"] = "cancel"
    utterance: int


class Result(_Frame):
    """``final`` False: so far. An empty final text: no words could be made out."""

    type: Literal["result"] = "result"
    utterance: int
    text: str = Field(max_length=2000)
    final: bool
    confidence: float | None = Field(default=None, ge=0, le=1)


class Failed(_Frame):
    """There will be no result. ``busy``: too many wait; ``failed``: a fault; ``protocol``: a frame out of place."""

    type: Literal["error"] = "error"
    utterance: int
    reason: Literal["busy", "failed", "protocol"]


FromClient: TypeAlias = Begin | Finish | Cancel
FromServer: TypeAlias = Result | Failed

_FROM_CLIENT: Final[TypeAdapter[FromClient]] = TypeAdapter(Annotated[FromClient, Field(discriminator="type")])
_FROM_SERVER: Final[TypeAdapter[FromServer]] = TypeAdapter(Annotated[FromServer, Field(discriminator="type")])


def written(frame: FromClient | FromServer) -> str:
    return json.dumps(frame.model_dump(mode="json"), ensure_ascii=False)


def from_client(text: str) -> FromClient:
    """Raises BadFrame."""
    frame: FromClient = _read(_FROM_CLIENT, text)
    return frame


def from_server(text: str) -> FromServer:
    """Raises BadFrame."""
    frame: FromServer = _read(_FROM_SERVER, text)
    return frame


def _read(kind: TypeAdapter[Any], text: str) -> Any:
    try:
        return kind.validate_json(text)
    except ValidationError as error:
        raise BadFrame(str(error.errors(include_input=False, include_url=False)[0]["msg"])) from None


def headers(token: str) -> Mapping[str, str]:
    """What a client shows of itself; none without a token."""
    return {"Authorization": f"Bearer {token}"} if token else {}
