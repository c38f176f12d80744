"""What has to hold at the desk after every step, whatever has been done in whatever order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hotline.domain.conversations import ALLOWED_CHANGES, Owner
from tests.contract.storage.interleaving_kit import World

Row = dict[str, Any]
QUERIES = {
    "conversations": "SELECT id, contact_id, owner, owner_version, holder, closed_at FROM conversations ORDER BY id",
    "handovers": "SELECT id, conversation_id, state, offered_to, offer_until, agent_id FROM handovers ORDER BY id",
    "messages": "SELECT id, conversation_id, inbox_id, author, text, external_id, staff_id FROM messages ORDER BY id",
    "inbox": "SELECT id, conversation_id, kind, status, attempts FROM inbox ORDER BY id",
    "outbox": "SELECT id, conversation_id, inbox_id, message_id, author, owner_version, status FROM outbox"
    " ORDER BY message_id",
    "events": "SELECT seq, kind, conversation_id, data FROM desk_events WHERE kind IN ('owner', 'closed') ORDER BY seq",
    "times": "SELECT since, until FROM agent_times",
}
QUEUED, OPEN = ("waiting", "offered"), ("waiting", "offered", "held")
PERSONAL = (Owner.AGENT, Owner.WRAP_UP)
EXPIRED_WORDS = "暂时无人接听。"
Tables = Mapping[str, Sequence[Row]]


@dataclass
class Checks:
    """``read_until``: the last line of each conversation that stood there while a person had it or was waited for;
    ``done``, ``owners``, ``events``: messages that had their turn, owners and the last event at the step before."""

    world: World
    read_until: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    done: set[int] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    events: int = 0

    def check(self, tables: Tables) -> None:
        by_conversation = {name: _grouped(rows) for name, rows in tables.items() if name != "times"}
        for conversation in tables["conversations"]:
            of = {name: rows[conversation["id"]] for name, rows in by_conversation.items() if name != "conversations"}
            _owner_fits(conversation, of["handovers"])
            history = _history(conversation, of["events"])
            self._note_readers(conversation, of)
            _lines_in_order(of, history)
            _told_once(of)
            self._messages_have_their_turn(conversation, of)
            self._lines_of_staff(conversation, of)
        open_ones = Counter(row["contact_id"] for row in tables["conversations"] if row["closed_at"] is None)
        assert max(open_ones.values(), default=1) == 1
        assert all(row["since"] <= row["until"] for row in tables["times"])
        self._sent_in_order(tables["outbox"])
        self.owners = {row["id"]: row["owner"] for row in tables["conversations"]}
        self.events = max((event["seq"] for event in tables["events"]), default=0)

    def _note_readers(self, conversation: Row, of: Tables) -> None:
        if self._owners_of_step(conversation, of) & {Owner.AGENT, Owner.QUEUED}:
            self.read_until[conversation["id"]] = max((row["id"] for row in of["messages"]), default=0)

    def _owners_of_step(self, conversation: Row, of: Tables) -> set[str]:
        """Who had the conversation before the step, or came to have it in it."""
        new = [event for event in of["events"] if event["seq"] > self.events and event["kind"] == "owner"]
        return {self.owners.get(conversation["id"], ""), *(event["data"]["owner"] for event in new)}

    def _messages_have_their_turn(self, conversation: Row, of: Tables) -> None:
        """Every message stands in the transcript and is answered, or was held for a person, or still waits."""
        answered = {row["inbox_id"] for row in of["messages"] if row["author"] != "citizen"}
        lines = {row["inbox_id"]: row["id"] for row in of["messages"] if row["author"] == "citizen"}
        dropped = {row["inbox_id"] for row in of["outbox"] if row["author"] == "bot"}
        for message in (row for row in of["inbox"] if row["kind"] == "text"):
            number = message["id"]
            assert number in lines
            if message["status"] == "failed":
                assert message["attempts"] >= 3
            elif message["status"] == "done" and number not in answered | self.done:
                person_reads = self._owners_of_step(conversation, of) & {Owner.AGENT, Owner.QUEUED}
                had_person = number in dropped and lines[number] <= self.read_until[conversation["id"]]
                assert person_reads or had_person, "nobody answers this message"
            if message["status"] == "done":
                self.done.add(number)

    def _lines_of_staff(self, conversation: Row, of: Tables) -> None:
        """What was said at the desk stands there once and leaves once, whoever has the conversation then."""
        lines = [row for row in of["messages"] if row["author"] == "agent"]
        expected = {key[1]: text for key, text in self.world.said.items() if key[0] == conversation["id"]}
        assert sorted((row["external_id"], row["text"]) for row in lines) == sorted(expected.items())
        deliveries = Counter(row["message_id"] for row in of["outbox"] if row["author"] == "agent")
        assert deliveries == Counter(row["id"] for row in lines)
        if conversation["closed_at"] is None:
            assert "dropped" not in [row["status"] for row in of["outbox"] if row["author"] == "agent"]

    def _sent_in_order(self, outbox: Sequence[Row]) -> None:
        assert len(set(self.world.sent)) == len(self.world.sent)
        of = {row["id"]: row for row in outbox}
        last: dict[str, int] = {}
        for delivery in (of[each] for each in self.world.sent):
            assert delivery["message_id"] > last.get(delivery["conversation_id"], 0)
            last[delivery["conversation_id"]] = delivery["message_id"]


def _grouped(rows: Sequence[Row]) -> Mapping[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.get("conversation_id") or row["id"]].append(row)
    return found


def _owner_fits(conversation: Row, handovers: Sequence[Row]) -> None:
    """One owner, with a holder if it is a person, and at most one open request, which says the same."""
    owner, holder = Owner(conversation["owner"]), conversation["holder"]
    assert (holder != "") == (owner in PERSONAL)
    open_ones = [row for row in handovers if row["state"] in OPEN]
    assert len(open_ones) == (owner in (Owner.QUEUED, Owner.AGENT))
    if owner is Owner.QUEUED:
        assert open_ones[0]["state"] in QUEUED
    elif owner is Owner.AGENT:
        assert (open_ones[0]["state"], open_ones[0]["agent_id"]) == ("held", holder)
    elif owner is Owner.WRAP_UP:
        assert holder in [row["agent_id"] for row in handovers if row["state"] == "wrap_up"]
    if conversation["closed_at"] is not None:
        assert owner is Owner.BOT
    for row in handovers:
        is_offered = row["state"] == "offered"
        assert is_offered <= (row["offered_to"] != "" and row["offer_until"] is not None)
        assert row["state"] != "waiting" or (row["offered_to"], row["agent_id"]) == ("", "")


def _history(conversation: Row, events: Sequence[Row]) -> list[tuple[Owner, str]]:
    """Who had the conversation in each version, as the pages were told: every change counts one and is told."""
    had = [(Owner.BOT, "")]
    for event in events:
        if event["kind"] == "owner":
            owner = Owner(event["data"]["owner"])
            assert owner in ALLOWED_CHANGES[had[-1][0]]
            had.append((owner, event["data"]["holder"]))
        elif had[-1][0] is not Owner.BOT:
            had.append((Owner.BOT, ""))
    assert had[-1] == (conversation["owner"], conversation["holder"])
    assert conversation["owner_version"] == len(had) - 1
    return had


def _lines_in_order(of: Tables, history: Sequence[tuple[Owner, str]]) -> None:
    """No word of the bot stands behind a change of hands that it did not know of, nor with a person; and only who
    holds the conversation speaks as its agent."""
    speakers = {row["id"]: row["staff_id"] for row in of["messages"]}
    reached = 0
    for row in (row for row in of["outbox"] if row["message_id"] is not None):
        version = row["owner_version"]
        assert version >= reached
        if row["author"] == "bot":
            assert history[version][0] in (Owner.BOT, Owner.QUEUED)
        elif row["author"] == "agent":
            assert history[version] == (Owner.AGENT, speakers[row["message_id"]])
        # What tells of a change stands under the version before it.
        tells_of_change = row["author"] == "system" and row["inbox_id"] is None
        reached = version + 1 if tells_of_change else version


def _told_once(of: Tables) -> None:
    """Nobody is told twice that his time is over, nor that it is when it is not."""
    over = sum(row["state"] == "expired" for row in of["handovers"])
    assert sum(row["text"] == EXPIRED_WORDS for row in of["messages"]) == over
