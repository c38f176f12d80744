"""Puts the core together: the only place in hotline that names implementations."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from hotline.dialogue.fallback import KnowledgeDialogue, ResilientDialogue
from hotline.dialogue.rasa import RasaDialogue
from hotline.domain.clock import utc_now
from hotline.domain.messages import ChannelName
from hotline.errors import ConfigError
from hotline.ports import Channel, Dialogue
from hotline.services.chats import StoredChats
from hotline.services.delivery import DeliveryWorker
from hotline.services.handover import HandOver
from hotline.services.housekeeping import Housekeeping
from hotline.services.hub import Hub
from hotline.services.intake import Intake
from hotline.services.spool import Spool
from hotline.services.turns import TurnWorker
from hotline.services.waiters import Waiters
from hotline.settings import Settings
from hotline.storage.channel_store import SqlChannelStore
from hotline.storage.database import Database
from hotline.storage.handovers import SqlHandovers
from hotline.storage.learning import SqlLearning
from hotline.storage.store import SqlStore
from knowledge_base.errors import KnowledgeError
from knowledge_base.model import Centre
from knowledge_base.published import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The database and what is kept in it."""

    database: Database
    store: SqlStore
    handovers: SqlHandovers
    channel_store: SqlChannelStore
    learning: SqlLearning


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The application core of one gateway process."""

    settings: Settings
    centre: Centre
    storage: Storage
    channels: Mapping[ChannelName, Channel]
    intake: Intake
    turns: TurnWorker
    chats: StoredChats
    housekeeping: Housekeeping


def build_storage(settings: Settings) -> Storage:
    """Storage by the address in settings; the tables are made by `hotline migrate`."""
    database = Database(settings.resolved_database_url)
    idle = timedelta(minutes=settings.gateway.idle_close_minutes)
    return Storage(
        database=database,
        store=SqlStore(database, clock=utc_now, idle_close=idle),
        handovers=SqlHandovers(database, clock=utc_now),
        channel_store=SqlChannelStore(database, clock=utc_now),
        learning=SqlLearning(database, clock=utc_now),
    )


@dataclass(frozen=True, slots=True)
class Talk:
    """The dialogue, and what loads beforehand the part of it that is needed only in an outage."""

    dialogue: Dialogue
    prepare: Callable[[], None]


def build_dialogue(settings: Settings) -> Talk:
    """Rasa, with knowledge search alone behind it."""
    knowledge = KnowledgeDialogue(settings.knowledge_dir)
    return Talk(ResilientDialogue(RasaDialogue(settings.rasa), knowledge), knowledge.prepare)


def read_centre(settings: Settings) -> Centre:
    """The centre whose knowledge is published. Raises ConfigError when none is."""
    try:
        return Published.open(settings.knowledge_dir).catalogue.centre
    except KnowledgeError as error:
        raise ConfigError(f"no usable knowledge is published, run `hotline train`: {error}") from error


def build_core(
    settings: Settings,
    storage: Storage,
    *,
    centre: Centre,
    channels: Mapping[ChannelName, Channel],
    dialogue: Dialogue,
) -> Core:
    """Everything between the channels and the dialogue."""
    waiters, hub = Waiters(), Hub()
    turns = TurnWorker(
        storage.store,
        dialogue,
        hand_over=HandOver(storage.store, storage.handovers, staffed=settings.gateway.desk_staffed),
        hub=hub,
        waiters=waiters,
        channels=channels,
        clock=utc_now,
        worker=f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}",
    )
    spool = Spool(settings.state_dir / "spool")
    intake = Intake(storage.store, turns, channels=channels, waiters=waiters, spool=spool)
    housekeeping = Housekeeping(
        storage.store,
        turns=turns,
        intake=intake,
        deliveries=DeliveryWorker(storage.store, channels, clock=utc_now),
        spool=spool,
        purge=storage.channel_store.purge,
    )
    return Core(
        settings=settings,
        centre=centre,
        storage=storage,
        channels=channels,
        intake=intake,
        turns=turns,
        chats=StoredChats(intake, storage.store, hub),
        housekeeping=housekeeping,
    )
