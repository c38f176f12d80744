"""What an earlier process, or an earlier connection of this one, has left in Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import structlog

from channels.voice.asterisk.ari import AriAway, AriRefused
from channels.voice.asterisk.stasis import Stasis, Watched

_AT_ONCE: Final = 8

log = structlog.get_logger(__name__)

Channels = Mapping[str, Mapping[str, Any]]


async def resume(stasis: Stasis) -> None:
    """Channels that are watched are reported on again; those which have gone meanwhile are known to have. Raises
    AriAway."""
    watched = stasis.watched()
    if not watched:
        return
    there = await stasis.ari.channels()
    for one in watched:
        if one.channel not in there:
            one.left(0)
            continue
        try:
            await stasis.ari.subscribe(one.channel)
        except AriRefused:
            one.left(0)


async def clear(stasis: Stasis, before: Channels) -> None:
    """``before`` are the channels as they were when nobody had the application. Callers in it that nobody serves go to
    people; who talks with an agent goes on talking until one of the two hangs up; all else of ours is ended."""
    try:
        talks = await _talks(stasis, before)
    except (AriAway, AriRefused) as error:
        log.warning("asterisk.left_behind", error=str(error))
        return
    for caller, agent, bridge in talks:
        await _keep(stasis, caller, agent, bridge)
    kept = {channel for caller, agent, _ in talks for channel in (caller, agent)}
    room = asyncio.Semaphore(_AT_ONCE)
    rest = [channel for channel in before if channel not in kept and not stasis.watches(channel)]
    await asyncio.gather(*(_end(stasis, channel, before[channel], room) for channel in rest))


async def _talks(stasis: Stasis, before: Channels) -> list[tuple[str, str, str]]:
    """Caller, agent and bridge, of those in which both still are. Other bridges that nobody lives in are ended."""
    talks = []
    for bridge, row in (await stasis.ari.bridges()).items():
        if not stasis.is_ours(bridge, "bridge") or bridge in stasis.bridges:
            continue
        inside = [channel for channel in row.get("channels", []) if channel in before]
        agents = [channel for channel in inside if stasis.is_ours(channel, "agent")]
        callers = [channel for channel in inside if not stasis.is_ours(channel)]
        if agents and callers:
            talks.append((callers[0], agents[0], bridge))
        else:
            await stasis.drop_bridge(bridge)
    return talks


async def _keep(stasis: Stasis, caller: str, agent: str, bridge: str) -> None:
    """When one of the two has hung up the other's telephone is hung up too."""
    both = [stasis.watch(Watched(caller)), stasis.watch(Watched(agent))]
    stasis.bridges.add(bridge)

    def over() -> None:
        for one in both:
            stasis.later(stasis.drop_channel(one.channel))
        stasis.later(stasis.drop_bridge(bridge))

    for one in both:
        one.on_gone = over
        try:
            await stasis.ari.subscribe(one.channel)
        except (AriAway, AriRefused):
            one.left(0)
    log.info("asterisk.talk.kept")


async def _end(stasis: Stasis, channel: str, row: Mapping[str, Any], room: asyncio.Semaphore) -> None:
    async with room:
        if stasis.is_ours(channel):
            await stasis.drop_channel(channel)
        elif _in_stasis(stasis.app, row):
            await stasis.to_people(channel)


def _in_stasis(app: str, row: Mapping[str, Any]) -> bool:
    where = row.get("dialplan")
    if not isinstance(where, Mapping) or where.get("app_name") != "Stasis":
        return False
    return str(where.get("app_data") or "").split(",")[0] == app
