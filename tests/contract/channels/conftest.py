"""Turns the tables of a `ChannelContract` into test parameters."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("kit")

from kit import ChannelContract  # noqa: E402 - after the line above, or its asserts explain nothing


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    contract = metafunc.cls
    if contract is None or not issubclass(contract, ChannelContract):
        return
    tables = {
        "incoming_case": contract.incoming,
        "signed_case": [case for case in contract.incoming if case.refused is None],
        "message_case": [case for case in contract.incoming if case.inbound is not None],
        "outgoing_case": contract.outgoing,
    }
    for name, cases in tables.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, cases, ids=[case.name for case in cases])
