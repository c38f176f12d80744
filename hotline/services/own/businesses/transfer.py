"""异地转移接续: the money of an account in another city comes here."""

from __future__ import annotations

from collections.abc import Sequence

from hotline.services.own.businesses.business import Inputs, Record
from hotline.services.own.fields import WORDS, Field, FieldKind
from hotline.services.own.skill import Ask, Declined


class TransferIn:
    """转入: needs an account here, and the city and employer of the other one."""

    code = "transfer-other-city"

    def known(self, record: Record, ask: Ask) -> Inputs:
        if any(word in ask.text for word in WORDS.find("transfer-other-city.away_words")):
            raise Declined("transfer_away")
        if not record.in_use:
            raise Declined("refused.not_eligible")
        return {"_unit": record.in_use[0].unit_name}

    def fields(self, inputs: Inputs, ask: Ask) -> Sequence[Field]:
        return (
            Field(name="from_city", kind=FieldKind.TEXT, least=2),
            Field(name="from_unit_name", kind=FieldKind.TEXT, least=2),
        )

    def filed(self, inputs: Inputs) -> Inputs:
        return {name: inputs[name] for name in ("from_city", "from_unit_name")}

    def amount_fen(self, inputs: Inputs) -> int:
        return 0
