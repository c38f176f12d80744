"""Every sentence that code says is written down, and every sentence that is written down is said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bot.components.intents import lookup_key
from hotline.domain.fund import AccountKind, AccountState, ApplicationState, CertificateKind, LedgerKind, RepayMethod
from hotline.domain.messages import ChannelName
from hotline.services.offers import bare
from hotline.services.own.words import Words, words
from hotline.settings import ROOT
from tests.unit.bot.test_intents import _examples
from tests.unit.own.forms import FORMS

OWN = ROOT / "hotline" / "services" / "own"
STEMS = sorted(path.stem for path in (OWN / "wording").glob("*.yml"))
SHARED = {"COMMON": "common"}
WITHOUT_CALL = {"*.unmet"}
"""Asked for in a way of its own, since most businesses have none."""
FORMATTED = re.compile(r"\{[^{}]*\}")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(OWN.rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


@cache
def stems_of(path: Path) -> Mapping[str, str]:
    """The names under which a module knows sentences, and the file of each."""
    found = dict(SHARED)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            call = node.value
            if getattr(call.func, "id", "") == "Words" and isinstance(call.args[0], ast.Constant):
                found[node.targets[0].id] = call.args[0].value  # type: ignore[attr-defined]  # a plain name
        if isinstance(node, ast.ImportFrom) and any(each.name == "WORDS" for each in node.names):
            found["WORDS"] = "desk" if str(node.module).endswith("turn") else "forms"
    return found


def texts(node: ast.AST) -> Iterator[str]:
    """The keys an expression may give: a string, either of two, or a pattern with * for what is filled in."""
    match node:
        case ast.Constant(value=str(key)):
            yield key
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one)
            yield from texts(other)
        case ast.JoinedStr(values=parts):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in parts)


def asked_for() -> Iterator[tuple[str, str, str]]:
    """(module, file of sentences, key or pattern) of every call that names its key."""
    for path, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            func = node.func
            name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            holder = getattr(func.value, "id", "") if isinstance(func, ast.Attribute) else ""
            if name in ("say", "find", "name") and holder in stems_of(path):
                stem = stems_of(path)[holder]
            elif name in ("sentence", "Declined") or (name == "says" and holder == "turn"):
                stem = "desk"
            elif name == "says" and not holder and len(node.args) == 2:
                yield from ((path.stem, "forms", key) for key in texts(node.args[1]))
                continue
            else:
                continue
            keys = list(texts(node.args[0]))
            if name == "name" and len(node.args) == 2:
                keys = [f"{key}.*" for key in keys]
            yield from ((path.stem, stem, key) for key in keys)


def paths(found: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, bool]]:
    """Every key down to its sentence, list or variants by channel, and whether it is a group of further ones."""
    for key, value in found.items():
        path, is_group = f"{above}{key}", isinstance(value, Mapping) and "default" not in value
        yield path, is_group
        if is_group:
            yield from paths(value, f"{path}.")


def pattern(key: str) -> re.Pattern[str]:
    return re.compile("[^.]+".join(map(re.escape, key.split("*"))))


@pytest.mark.parametrize(("module", "stem", "key"), sorted(set(asked_for())))
def test_every_sentence_that_is_said_is_written_down(module: str, stem: str, key: str) -> None:
    assert any(pattern(key).fullmatch(path) for path, _ in paths(words(stem))), f"{module}: {stem}.yml lacks {key}"


def spoken_of() -> set[str]:
    """Every string of the own-data code, and every pattern: keys that are passed on by name are among them."""
    found: set[str] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                found |= set(texts(node))
    return found


@pytest.mark.parametrize("stem", STEMS)
def test_every_sentence_that_is_written_down_is_said(stem: str) -> None:
    """One by one, by its whole group, or (a key of the first level) by a name that is passed on."""
    known = spoken_of()
    named = {key for _, of, key in asked_for() if of == stem} | {key for key in known if "." in key} | WITHOUT_CALL
    leaves = [path for path, is_group in paths(words(stem)) if not is_group]
    assert [path for path in leaves if path not in known and not any(covers(key, path) for key in named)] == []


def covers(key: str, path: str) -> bool:
    """Whether ``key`` asks for the path or for a group it is in."""
    beginning = path.split(".")[: key.count(".") + 1]
    return bool(pattern(key).fullmatch(".".join(beginning)))


def sentences(found: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(found, str):
        yield key, found
    elif isinstance(found, Mapping):
        for name, value in found.items():
            yield from sentences(value, f"{key}.{name}")


@pytest.mark.parametrize("stem", STEMS)
def test_variants_are_of_channels_and_only_for_these(stem: str) -> None:
    channels = {"default", *(channel.value for channel in ChannelName)}

    def check(found: Any) -> None:
        if isinstance(found, Mapping):
            assert "default" not in found or set(found) <= channels
            for value in found.values():
                check(value)

    check(words(stem))


@pytest.mark.parametrize("stem", STEMS)
def test_sentences_use_chinese_marks_and_address_the_citizen_politely(stem: str) -> None:
    told = {key: value for key, value in words(stem).items() if key not in ("patterns", "count", "words")}
    for key, text in sentences(told):
        plain = FORMATTED.sub("", text)
        assert not re.search(r"[,;?!()]", plain), f"{key}: {text}"
        assert "你" not in plain, f"{key}: {text}"
        assert "  " not in text, f"{key}: {text}"


@pytest.mark.parametrize(
    "kind", [AccountState, AccountKind, LedgerKind, RepayMethod, ApplicationState, CertificateKind]
)
def test_every_value_of_a_closed_list_has_its_name(kind: Any) -> None:
    group = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
    assert all(Words("common").name(group, value) for value in kind)
    assert set(words("common")[group]) == {value.value for value in kind}


@pytest.mark.parametrize("form", {form.code: form for form in FORMS}.values(), ids=lambda form: form.code)
def test_every_field_has_its_question_and_its_name(form: Any) -> None:
    of = words("forms")[form.code]
    asked = {name for each in FORMS if each.code == form.code for name in each.fields} & set(of["ask"])
    assert asked == set(of["ask"]) - {"unit"}
    assert set(of["ask"]) <= set(of["labels"])


def offered_labels() -> set[str]:
    forms, desk = words("forms"), words("desk")
    single = [forms[key] for key in ("confirm_label", "change_label", "leave_label", "go_on_label", "anew_label")]
    return {*single, forms["promise_label"], forms["cancel"]["yes_label"], desk["prove_label"]}


def test_what_is_offered_is_understood_when_it_is_chosen() -> None:
    forms, desk = words("forms"), words("desk")
    understood = {
        "confirm_label": forms["confirm_words"],
        "change_label": forms["change_words"],
        "leave_label": desk["leave_words"],
        "go_on_label": forms["go_on_words"],
        "anew_label": forms["anew_words"],
        "promise_label": forms["yes_words"],
    }
    assert [key for key, known in understood.items() if bare(forms[key]) not in map(bare, known)] == []
    assert forms["cancel"]["yes_label"] in forms["cancel"]["yes_words"]
    assert words("ledger")["more_label"] in words("ledger")["more_words"]
    assert words("ledger")["other_label"] in words("ledger")["other_words"]


def test_no_word_says_yes_and_no() -> None:
    forms = words("forms")
    pairs = (("yes_words", "no_words"), ("is_so", "is_not_so"), ("confirm_words", "change_words"))
    for one, other in pairs:
        assert not set(map(bare, forms[one])) & set(map(bare, forms[other]))
    leave = set(map(bare, words("desk")["leave_words"]))
    assert not leave & set(map(bare, [*forms["confirm_words"], *forms["go_on_words"], *forms["anew_words"]]))


def test_a_choice_that_begins_a_skill_is_no_example_of_another() -> None:
    meant = {lookup_key(text): intent for _, intent, text in _examples()}
    forms, progress, may_i = words("forms"), words("progress"), words("may_i")
    wanted = {forms["progress_label"]: "ask_progress", progress["cancel_label"]: "cancel_application"}
    wanted |= dict.fromkeys(may_i["apply"].values(), "apply")
    wanted |= dict(
        zip(words("desk")["suggestions"], ("ask_balance", "ask_ledger", "ask_progress", "ask_loan"), strict=True)
    )
    wanted |= {words("desk")["prove_label"]: "bind"}
    assert {text for text, intent in wanted.items() if meant.get(lookup_key(text), intent) != intent} == set()


@pytest.mark.parametrize("label", sorted(offered_labels()))
def test_no_answer_of_a_form_is_an_example_of_another_skill(label: str) -> None:
    meant = {lookup_key(text): intent for _, intent, text in _examples()}
    skills = set(words("desk")["to_do"]) | {"calculate", "unbind"}
    assert meant.get(lookup_key(label)) not in skills - {"apply", "cancel_application"}
