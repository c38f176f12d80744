"""The fields of each business, as strings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sandbox.fund.answers import Refused


def _as_day(value: object) -> date:
    """Raises ValueError for anything but a day in its ten characters."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("a date has the form YYYY-MM-DD")
    return date.fromisoformat(value)


def _as_number(value: object) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9]{0,11}", value):
        raise ValueError("a number in digits, above zero")
    return int(value)


def _first_of_month(day: date) -> date:
    if day.day != 1:
        raise ValueError("a month is its first day")
    return day


Day = Annotated[date, BeforeValidator(_as_day)]
Month = Annotated[Day, AfterValidator(_first_of_month)]
Number = Annotated[int, BeforeValidator(_as_number)]
Text = Annotated[str, Field(max_length=200, pattern=r"^\S(.*\S)?$")]
Count = Annotated[Number, Field(le=999_999)]
Yes = Literal["yes"]


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Retire(Form):
    promise: Yes


class Leave(Form):
    left_on: Day
    promise: Yes


class Rent(Form):
    first_month: Month
    last_month: Month
    amount_fen: Number
    promise: Yes


class Transfer(Form):
    from_city: Text
    from_unit_name: Text


class Prepay(Form):
    loan_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}$")]
    kind: Literal["full", "partial"]
    on: Day
    amount_fen: Number | None = None
    keep: Literal["term", "instalment"] | None = None

    @model_validator(mode="after")
    def _partial_says_how(self) -> Prepay:
        partial = self.kind == "partial"
        if partial != (self.amount_fen is not None) or partial != (self.keep is not None):
            raise ValueError("amount_fen and keep belong to a partial prepayment, and only to one")
        return self


class Makeup(Form):
    unit_no: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,32}$")]
    first_month: Month
    last_month: Month
    people: Count
    amount_fen: Number
    reason: Text


FORMS: Mapping[str, type[Form]] = {
    "withdraw-retire": Retire,
    "withdraw-leave": Leave,
    "withdraw-rent": Rent,
    "transfer-other-city": Transfer,
    "loan-prepay": Prepay,
    "contribute-makeup": Makeup,
}


def read_form(business: str, fields: Mapping[str, str]) -> Form:
    """The fields, checked. Raises Refused ``invalid_field`` that names the field but not what was in it."""
    try:
        return FORMS[business].model_validate(fields)
    except KeyError:
        raise Refused("invalid_field", "business") from None
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]["loc"]
        name = str(where[0]) if where and str(where[0]) in FORMS[business].model_fields else "fields"
        raise Refused("invalid_field", name) from None
