"""docs/city-hotline-api.yaml against both ends: generated requests to ours, and what we tell against theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hotline.city_hotline import CityUpdate
from hotline.domain.work_orders import Conclusion, OrderType, State, Upheld
from hotline.exchange.http import as_json
from sandbox.city_hotline.shapes import UpdateIn
from tests.contract.city_hotline.conftest import Exchange, exchange_in
from tests.work_order_kit import WEDNESDAY
from web.exchange import PREFIX

DOCUMENT = Path(__file__).parents[3] / "docs/city-hotline-api.yaml"
PATHS = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
SCHEMA = schemathesis.openapi.from_path(DOCUMENT)
RIGHT, WRONG = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
INBOUND = [
    (path, method)
    for path, item in PATHS["paths"].items()
    for method in item
    if path.startswith("/exchange") and method in ("get", "put")
]
REQUESTS = [(*each, RIGHT) for each in INBOUND] + [(*each, WRONG) for each in INBOUND if each[1] == "put"]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
IDS = st.sampled_from(["12345-1", "12345-2", "R-1"])
EXAMPLES = 25


class Ours:
    """Our end, called from tests that are no coroutines."""

    def __init__(self, runner: asyncio.Runner, exchange: Exchange) -> None:
        self._runner, self._exchange = runner, exchange

    def call(self, case: schemathesis.Case) -> Any:
        """The generated request as it would be sent, signed."""
        sent = requests.Request(**plain(case.as_transport_kwargs(base_url="http://gateway"))).prepare()
        body = sent.body or b""
        content = body if isinstance(body, bytes) else body.encode()
        return self._runner.run(self._exchange.send(str(sent.method), sent.path_url, content))


def plain(kwargs: dict[str, Any]) -> dict[str, Any]:
    names = ("method", "url", "headers", "params", "data", "json")
    return {name: kwargs[name] for name in names if kwargs.get(name) is not None}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        exchange = runner.run(stack.enter_async_context(exchange_in(tmp_path_factory.mktemp("document"))))
        yield Ours(runner, exchange)
        runner.run(stack.aclose())


@pytest.mark.parametrize(("path", "method", "mode"), REQUESTS)
def test_generated_requests_are_answered_as_the_document_says(
    ours: Ours, path: str, method: str, mode: schemathesis.GenerationMode
) -> None:
    operation, met = SCHEMA[path][method.upper()], set[int]()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy(generation_mode=mode), known=st.none() | IDS)
    def check(case: schemathesis.Case, known: str | None) -> None:
        if mode is RIGHT and known is not None:  # so that orders are met that are there
            case.path_parameters = {**case.path_parameters, "city_order_id": known}
        response = ours.call(case)
        met.add(response.status_code)
        case.validate_response(response, checks=CHECKS)

    check()
    assert 401 not in met
    assert met & ({200, 201, 404, 409} if mode is RIGHT else {400})


def test_every_example_has_the_form_it_illustrates() -> None:
    seen = 0
    for path, item in PATHS["paths"].items():
        for method in ("put",):
            content = item.get(method, {}).get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            validator = _validator(content["schema"])
            examples = [each["value"] for each in content.get("examples", {}).values()] or [content["example"]]
            for example in examples:
                assert list(validator.iter_errors(example)) == [], path
                seen += 1
    assert seen == 7


def test_the_document_names_every_type_and_state_there_is() -> None:
    schemas = PATHS["components"]["schemas"]
    assert set(schemas["Type"]["enum"]) == set(OrderType)
    assert set(schemas["State"]["enum"]) == set(State) - {State.MERGED}
    assert set(schemas["Conclusion"]["properties"]["upheld"]["enum"]) == {*Upheld, None}


@given(
    state=st.sampled_from(sorted(set(State) - {State.MERGED})),
    reason=st.text(max_size=50),
    conclusion=st.none()
    | st.builds(Conclusion, finding=st.text(), done=st.text(), upheld=st.none() | st.sampled_from(Upheld)),
)
def test_what_we_tell_has_the_document_s_form_and_the_sandbox_takes_it(
    state: State, reason: str, conclusion: Conclusion | None
) -> None:
    told = as_json(
        CityUpdate(
            city_id="C1",
            sequence=1,
            number="GD20261125-000018",
            state=state,
            at=WEDNESDAY,
            reason=reason,
            conclusion=conclusion,
        )
    )
    assert list(_validator({"$ref": "#/components/schemas/Update"}).iter_errors(told)) == []
    assert UpdateIn.model_validate(told).state == state


def test_our_end_serves_the_paths_of_the_document() -> None:
    assert {path.removeprefix(PREFIX) for path, _ in INBOUND} == {
        "/orders/{city_order_id}",
        "/orders/{city_order_id}/reminders/{reminder_id}",
        "/orders/{city_order_id}/cancellation",
    }
    assert all(path.startswith(PREFIX) for path, _ in INBOUND)


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": PATHS["components"]})
