"""What is kept in the database, put together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from hotline.domain.clock import utc_now
from hotline.identity_store import IdentityStores
from hotline.privacy.ciphers import FieldCipher
from hotline.privacy.hashes import LookupHash
from hotline.settings import Settings
from hotline.storage.attempts import SqlAttempts
from hotline.storage.audit import SqlAudit
from hotline.storage.calls import SqlCalls
from hotline.storage.channel_store import SqlChannelStore
from hotline.storage.citizen_lines import SqlCitizenLines
from hotline.storage.database import Database
from hotline.storage.desk import SqlDesks
from hotline.storage.desk_events import SqlDeskEvents
from hotline.storage.desk_held import SqlHeld
from hotline.storage.desk_queue import SqlQueue
from hotline.storage.handovers import SqlHandovers
from hotline.storage.identity import SqlIdentity
from hotline.storage.learning import SqlLearning
from hotline.storage.private_records import SqlDrafts, SqlSubmissions
from hotline.storage.prompts import SqlPrompts
from hotline.storage.ratings import SqlRatings
from hotline.storage.recordings import SqlRecordings
from hotline.storage.reviews import SqlReviews
from hotline.storage.sign_ins import SqlSignIns
from hotline.storage.staff import SqlMembers, SqlSessions
from hotline.storage.store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The database and what is kept in it."""

    database: Database
    store: SqlStore
    handovers: SqlHandovers
    channel_store: SqlChannelStore
    learning: SqlLearning
    audit: SqlAudit
    identity: IdentityStores
    drafts: SqlDrafts
    submissions: SqlSubmissions
    queue: SqlQueue
    held: SqlHeld
    desks: SqlDesks
    desk_events: SqlDeskEvents
    reviews: SqlReviews
    members: SqlMembers
    sessions: SqlSessions
    prompts: SqlPrompts
    ratings: SqlRatings
    lines: SqlCitizenLines
    calls: SqlCalls
    recordings: SqlRecordings

    async def purge(self) -> int:
        """What has expired is gone; the number of rows removed."""
        expired = await self.channel_store.purge() + await self.identity.bindings.purge()
        return expired + await self.desk_events.purge() + await self.sessions.purge()


def build_storage(settings: Settings) -> Storage:
    """Storage by the address in settings; the tables are made by `hotline migrate`."""
    database = Database(settings.resolved_database_url)
    idle = timedelta(minutes=settings.gateway.idle_close_minutes)
    cipher, hashes = FieldCipher.from_settings(settings.privacy), LookupHash.from_settings(settings.privacy)
    audit = SqlAudit(database, clock=utc_now)
    return Storage(
        database=database,
        audit=audit,
        identity=IdentityStores(
            bindings=SqlIdentity(database, cipher=cipher, hashes=hashes, audit=audit, clock=utc_now),
            sign_ins=SqlSignIns(database, cipher=cipher, clock=utc_now),
            attempts=SqlAttempts(database, clock=utc_now),
        ),
        drafts=SqlDrafts(database, cipher=cipher, clock=utc_now),
        submissions=SqlSubmissions(database, clock=utc_now),
        store=SqlStore(database, clock=utc_now, idle_close=idle),
        handovers=SqlHandovers(database),
        queue=SqlQueue(database, clock=utc_now),
        held=SqlHeld(database, clock=utc_now),
        desks=SqlDesks(database, clock=utc_now),
        desk_events=SqlDeskEvents(database, clock=utc_now),
        reviews=SqlReviews(database, clock=utc_now),
        prompts=SqlPrompts(database, clock=utc_now),
        ratings=SqlRatings(database, clock=utc_now),
        lines=SqlCitizenLines(database, clock=utc_now),
        calls=SqlCalls(database, hashes=hashes, clock=utc_now),
        recordings=SqlRecordings(database, clock=utc_now),
        members=SqlMembers(database, cipher=cipher, clock=utc_now),
        sessions=SqlSessions(database, cipher=cipher, clock=utc_now),
        channel_store=SqlChannelStore(database, clock=utc_now),
        learning=SqlLearning(database, clock=utc_now),
    )
