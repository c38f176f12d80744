"""补缴申报: an employer declares missed months; its clerk does so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from hotline.services.own.businesses.business import Inputs, Record
from hotline.services.own.fields import Field, FieldKind
from hotline.services.own.skill import Ask, Declined

MOST_PEOPLE = 100_000


class Makeup:
    """Only a clerk of the employer; the list of people is handed in afterwards (容缺)."""

    code = "contribute-makeup"

    def known(self, record: Record, ask: Ask) -> Inputs:
        if not record.person.clerk_of:
            raise Declined("clerks_only")
        units = {f"_unit_{at}": each.unit_no for at, each in enumerate(record.person.clerk_of)}
        names = {f"_name_{at}": each.name for at, each in enumerate(record.person.clerk_of)}
        only = {"unit": "0"} if len(units) == 1 else {}
        return {**units, **names, **only}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        this = date(ask.today.year, ask.today.month, 1)
        first = date.fromisoformat(inputs["first_month"]) if "first_month" in inputs else None
        units = {name.removeprefix("_name_"): said for name, said in inputs.items() if name.startswith("_name_")}
        return (
            Field(name="unit", kind=FieldKind.CHOICE, choices=units),
            Field(name="first_month", kind=FieldKind.MONTH, latest=this),
            Field(name="last_month", kind=FieldKind.MONTH, earliest=first, latest=this),
            Field(name="people", kind=FieldKind.NUMBER, least=1, most=MOST_PEOPLE),
            Field(name="amount_fen", kind=FieldKind.AMOUNT, least=100),
            Field(name="reason", kind=FieldKind.TEXT, least=2),
        )

    def filed(self, inputs: Inputs) -> Inputs:
        names = ("first_month", "last_month", "people", "amount_fen", "reason")
        return {"unit_no": inputs[f"_unit_{inputs['unit']}"], **{name: inputs[name] for name in names}}

    def amount_fen(self, inputs: Inputs) -> int:
        return 0
