"""Ringing an agent's telephone and saying something to him alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Final

import structlog

from channels.voice.asterisk.ari import AriAway, AriRefused
from channels.voice.asterisk.media import BYTES_PER_S
from channels.voice.asterisk.stasis import Stasis, Watched, first
from channels.voice.session import Target, Transferred

_EXTENSION: Final = re.compile(r"[0-9A-Za-z_.-]{1,32}")
_HEADER: Final = re.compile(r"X-[0-9A-Za-z-]{1,60}")
_VALUE: Final = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")
_LONGEST_WHISPER_S: Final = 8.0
_TAIL_S: Final = 0.15
# Q.850, as Asterisk reports them: user busy and call rejected, no user responding and no answer.
_BUSY: Final = frozenset({17, 21})
_UNANSWERED: Final = frozenset({18, 19})

log = structlog.get_logger(__name__)


class Deaf:
    """Listens to nothing. Implements `Ear`."""

    def hear(self, pcm: bytes) -> None:
        return

    def deaf(self) -> None:
        return


async def ring(stasis: Stasis, target: Target, *, caller: str, caller_gone: asyncio.Event) -> Transferred | Watched:
    """The agent's channel, answered and in no bridge, or why there is none. Nothing is left behind."""
    if not _EXTENSION.fullmatch(target.extension):
        return Transferred.FAILED
    agent = stasis.watch(Watched(stasis.new_id("agent")))
    answered = False
    try:
        await stasis.ari.ring(agent.channel, _parameters(stasis, target, caller), _variables(target.headers))
        await first(agent.entered, agent.gone, caller_gone, timeout_s=target.ring_s)
        outcome = _outcome(agent, caller_gone)
        answered = outcome is Transferred.ANSWERED
        return agent if answered else outcome
    except (AriAway, AriRefused) as error:
        log.warning("asterisk.agent.refused", error=str(error))
        return Transferred.FAILED
    finally:
        if not answered:
            stasis.later(stasis.drop_channel(agent.channel))


async def whisper(stasis: Stasis, agent: Watched, pcm: bytes, *, caller_gone: asyncio.Event) -> None:
    """The agent has heard it, as far as it could be said and somebody was there to hear it."""
    bridge = stasis.new_id("bridge")
    stasis.bridges.add(bridge)
    channel = ""
    try:
        channel, leg = await stasis.open_leg(Deaf())
        await stasis.ari.make_bridge(bridge)
        await stasis.ari.join(bridge, agent.channel, channel)
        sound = pcm[: int(_LONGEST_WHISPER_S * BYTES_PER_S)]
        writing = asyncio.create_task(leg.write(sound))
        await first(agent.gone, caller_gone, timeout_s=len(sound) / BYTES_PER_S + _TAIL_S)
        writing.cancel()
        await leg.close()
    except (AriAway, AriRefused, TimeoutError) as error:
        log.warning("asterisk.whisper.failed", error=type(error).__name__)
    finally:
        if channel:
            stasis.later(stasis.drop_channel(channel))
        stasis.later(stasis.drop_bridge(bridge))


def _parameters(stasis: Stasis, target: Target, caller: str) -> Mapping[str, str]:
    return {
        "endpoint": stasis.agents.format(extension=target.extension),
        "appArgs": "agent",
        "callerId": caller or "anonymous",
        "timeout": str(int(target.ring_s) + 5),  # ours ends it; Asterisk's is for the case that we are gone
        "formats": "alaw",
    }


def _variables(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers as chan_pjsip takes them; what is no decent header is left out."""
    return {
        f"PJSIP_HEADER(add,{name})": value
        for name, value in headers.items()
        if _HEADER.fullmatch(name) and _VALUE.fullmatch(value)
    }


def _outcome(agent: Watched, caller_gone: asyncio.Event) -> Transferred:
    if caller_gone.is_set():
        return Transferred.CALLER_GONE
    if agent.gone.is_set():
        return _of_cause(agent.cause)
    return Transferred.ANSWERED if agent.entered.is_set() else Transferred.NO_ANSWER


def _of_cause(cause: int) -> Transferred:
    if cause in _BUSY:
        return Transferred.BUSY
    return Transferred.NO_ANSWER if cause in _UNANSWERED else Transferred.FAILED
