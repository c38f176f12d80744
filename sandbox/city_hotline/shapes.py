"""The forms of the document (docs/city-hotline-api.yaml), and those of the sandbox's own routes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.city_hotline.book import Mode

State = Literal[
    "new", "accepted", "in_progress", "waiting_citizen", "concluded", "closed", "reopened", "rejected", "cancelled"
]
OrderType = Literal["consult", "suggestion", "complaint", "praise", "fraud_report", "appeal"]
CityId = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z-]{0,47}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConclusionIn(_Form):
    finding: str
    done: str
    upheld: Literal["yes", "partly", "no"] | None


class UpdateIn(_Form):
    """News of an order."""

    number: str = Field(pattern=r"^GD[0-9]{8}-[0-9]{6}$")
    state: State
    at: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$")
    reason: str | None
    conclusion: ConclusionIn | None


class DeliverIn(_Form):
    """An order to deliver. ``copies``: how often it is sent, all at once."""

    type: OrderType = "complaint"
    text: str = Field(min_length=1, max_length=4000)
    matter: str | None = None
    mobile: str | None = None
    confidential: bool = False
    urgent: bool = False
    employer: bool = False
    city_id: CityId | None = None
    copies: int = Field(default=1, ge=1, le=20)


class RemindIn(_Form):
    city_id: CityId
    reminder_id: CityId
    text: str = Field(min_length=1, max_length=1000)


class CancelIn(_Form):
    city_id: CityId
    reason: str = Field(min_length=1, max_length=1000)


class AskIn(_Form):
    city_id: CityId


class FaultIn(_Form):
    """``slow`` answers after ``seconds``; ``error`` keeps nothing and answers 500; ``lost`` keeps the update and
    answers only after ``seconds``, which is too late."""

    mode: Mode
    seconds: float = Field(default=0.0, ge=0, le=600)
    times: int = Field(default=0, ge=0)
