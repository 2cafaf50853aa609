"""What the pack knows and finds, without an engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.backends import CONTOSO, FABRIKAM, NORTHWIND, Backend

from dpor_provider.declaration.inputs import UNKNOWN
from dpor_provider.errors import Invalid
from dpor_provider.model import Agreement, Finding, Level
from dpor_provider.policies.guard import Guard, Resource
from dpor_provider.policies.options import SCHEMA, Options
from dpor_provider.rules import Subject, all_rules
from dpor_provider.settings import Settings

TODAY = date(2026, 11, 23)


def guard(home: Backend, **options: Any) -> Guard:
    told = {"registry": home.url, "platform": home.platform_name, "today": TODAY, **options}
    return Guard.open(Options(**told), Settings(home.url, home.platform_name))


def resource(
    guard: Guard, subscription: object, name: str = "payments", **rest: object
) -> Resource:
    assert guard.live is not None
    inputs = {
        "subscription_id": subscription,
        "partner_id": CONTOSO.id,
        "registry_id": guard.live.registry_id,
        "managed_by": f"estate/dev/{name}",
    }
    return Resource(f"urn:{name}", name, f"estate/dev/{name}", inputs | rest)


def rules(findings: tuple[Finding, ...], level: Level = Level.MANDATORY) -> list[str]:
    return [finding.rule for finding in findings if finding.level is level]


@pytest.fixture(autouse=True)
def agreed(home: Backend) -> None:
    for partner in (CONTOSO, FABRIKAM):
        home.registry().partners.agree(partner.id, Agreement("DSA-1"))


def test_a_sound_resource_has_no_finding(home: Backend, subscription: str) -> None:
    one = guard(home)
    settled = one.examine(resource(one, subscription))
    assert (settled.findings, settled.suppressed, one.notes) == ((), (), ())


def test_the_agreement_is_looked_up_in_the_registry(home: Backend, subscription: str) -> None:
    home.registry().partners.agree(CONTOSO.id, None)
    one = guard(home)
    settled = one.examine(resource(one, subscription))
    assert rules(settled.findings, Level.ADVISORY) == ["DPOR403"]


def test_a_subscription_that_two_resources_declare_is_found_at_the_second(
    home: Backend, subscription: str
) -> None:
    one = guard(home)
    assert one.examine(resource(one, subscription)).findings == ()
    assert one.examine(resource(one, subscription)).findings == ()
    found = one.examine(resource(one, subscription.upper(), "other")).findings
    assert rules(found) == ["DPOR401"]
    assert "the other time by 'payments'" in found[0].message


def test_resources_of_one_name_under_two_parents_are_two(home: Backend, subscription: str) -> None:
    one = guard(home)
    assert one.examine(resource(one, subscription)).findings == ()
    other = replace(resource(one, subscription), urn="urn:team/payments")
    assert rules(one.examine(other).findings) == ["DPOR401"]


def test_two_unknown_subscriptions_are_not_one(home: Backend) -> None:
    one = guard(home)
    for name in ("a", "b"):
        settled = one.examine(resource(one, UNKNOWN, name))
        assert rules(settled.findings) == []
        assert rules(settled.findings, Level.ADVISORY) == ["DPOR204"]


def test_an_owner_that_is_not_the_resource_itself_is_found(
    home: Backend, subscription: str
) -> None:
    one = guard(home)
    forged = resource(one, subscription, managed_by="other/dev/payments")
    assert rules(one.examine(forged).findings) == ["DPOR401"]


@pytest.mark.parametrize("registry_id", [None, "0c1ce5b2-58ba-4d21-a6ab-0a42a5d8a1a7", UNKNOWN])
def test_a_resource_of_another_registry_or_of_none_is_found(
    home: Backend, subscription: str, registry_id: object
) -> None:
    one = guard(home)
    settled = one.examine(resource(one, subscription, registry_id=registry_id))
    assert rules(settled.findings) == ["DPOR203"]


def test_what_the_program_states_wrongly_is_found_with_the_rest(
    home: Backend, subscription: str
) -> None:
    one = guard(home)
    wrong = resource(one, subscription, partner_id="123", on_delete="explode", former_access=7.0)
    found = one.examine(wrong).findings
    assert rules(found) == ["DPOR001", "DPOR001", "DPOR101"]
    assert all(finding.message.isprintable() for finding in found)


@pytest.mark.parametrize("rule_id", ["DPOR302", "DPOR305"])
def test_a_rule_that_fails_is_a_finding_of_it_and_the_others_run(
    home: Backend, subscription: str, rule_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_subject: Subject) -> Iterator[Finding]:
        raise ZeroDivisionError("on\npurpose")

    rule = all_rules()[rule_id]
    monkeypatch.setattr(rule, "find", fail)
    one = guard(home)
    found = one.examine(resource(one, subscription, partner_id="123")).findings
    (failed,) = (finding for finding in found if finding.rule == rule_id)
    assert failed.message == "the rule failed (ZeroDivisionError: on purpose); please report this"
    assert failed.level is rule.level
    assert "DPOR101" in rules(found)


def test_what_the_pack_was_not_told_is_said(home: Backend) -> None:
    one = Guard.open(Options(), Settings(home.url))
    (note,) = one.notes
    assert home.url in note
    assert "platform 'portal'" in note
    (note,) = guard(home, platform=None).notes
    assert home.url not in note
    assert "platform 'portal'" in note


def test_what_the_pack_says_of_its_registry_holds_no_password(home: Backend) -> None:
    one = Guard.open(Options(), Settings("postgresql://alice:hunter2@db/dpor"))
    assert one.problem is not None
    assert "hunter2" not in f"{one.problem} {one.notes}"


def test_without_a_registry_the_declaration_is_examined_all_the_same(
    home: Backend, subscription: str, tmp_path: Path
) -> None:
    ready = guard(home)
    one = guard(home, registry=f"sqlite:///{tmp_path / 'nowhere.db'}")
    found = one.examine(resource(ready, subscription, partner_id="123")).findings
    assert rules(found) == ["DPOR204", "DPOR101"]
    assert "nowhere.db; make one with: dpor registry init" in found[0].message
    assert one.undeclared() == []


def test_known_subscriptions_without_a_partner_are_found_unless_the_stack_declares_them(
    home: Backend, subscription: str
) -> None:
    declared, other = subscription, str(uuid.uuid4())
    for each in (declared, other):
        home.designate(each, NORTHWIND)
        home.withdraw(each)
    one = guard(home)
    one.examine(resource(one, declared))
    (found,) = one.undeclared()
    assert found.rule == "DPOR402"
    assert other in found.message


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"registri": "x"}, "did you mean registry"),
        ({"zzz": 1}, "there are: registry, platform"),
        ({"digits": [8.0, 5.0]}, "8 is more than 5"),
        ({"today": "23.11.2026"}, "'23.11.2026' is no day"),
    ],
)
def test_options_that_make_no_sense_are_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        Options.read(config)


def test_every_option_of_the_schema_is_read(tmp_path: Path) -> None:
    config = {
        "registry": "sqlite:////srv/registry.db",
        "platform": "portal",
        "deployer": "ci-deploy",
        "allowed_roles": ["Owner"],
        "digits": [6.0, 7.0],
        "exceptions": str(tmp_path / "approved.yaml"),
        "today": "2026-11-23",
    }
    assert config.keys() == SCHEMA.keys()
    told, silent = Options.read(config), Options.read({})
    assert all(
        getattr(told, name) != getattr(silent, name) for name in Options.__dataclass_fields__
    )
