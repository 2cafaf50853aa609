"""What each rule finds and does not find, and whose access counts as stale."""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpor_provider import rules
from dpor_provider.live import Live
from dpor_provider.model import (
    Access,
    Declared,
    Deployer,
    Designation,
    Directory,
    Finding,
    Grant,
    Intent,
    Level,
    Observation,
    Partner,
    Position,
    Role,
    Status,
)
from dpor_provider.partner_id import malformed
from dpor_provider.resources.partner_of_record import INPUTS
from dpor_provider.rules import Subject, Terms, all_rules, guard

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"
TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

CONTOSO = Partner(
    "4567890",
    "Contoso Consulting",
    former_ids=("3456789",),
    former_names=("Contoso Ltd",),
    principals=("sp-contoso",),
)
FABRIKAM = Partner("5127255", "Fabrikam Cloud Services")
NORTHWIND = Partner(
    "2345678", "Northwind Traders IT", status=Status.RETIRED, replaced_by=CONTOSO.id
)
ADATUM = Partner("8765432", "Adatum", status=Status.RETIRED)
DIRECTORY = Directory.of((CONTOSO, FABRIKAM, NORTHWIND, ADATUM))


def designation(partner_id: str | None = CONTOSO.id, **rest: Any) -> Designation:
    fields: dict[str, Any] = {
        "subscription_id": ONE,
        "partner_id": partner_id,
        "partner_name": None,
        "version": 3,
        "managed_by": None,
        "claim": None,
        "adopted": False,
        "written_partner_id": None,
        "effective": True,
        "designated_by": "alice",
        "designated_at": NOW,
        "former_partner_id": None,
    }
    return Designation(**{**fields, **rest})


def live(
    *designations: Designation,
    access: Collection[Access] = (),
    former: Mapping[str, Collection[str]] | None = None,
    grants: tuple[Grant, ...] = (Grant("deployer", Role.OWNER, "/"),),
    seen: Collection[Observation] = (),
) -> Live:
    by_scope: dict[str, dict[str, Access]] = {}
    for item in access:
        by_scope.setdefault(item.scope, {})[item.id] = item
    return Live(
        registry_id="registry",
        registry_name="sqlite:////registry.db",
        directory=DIRECTORY,
        designations={row.subscription_id: row for row in designations},
        observations={item.subscription_id: item for item in seen},
        former_partners=former or {},
        access=by_scope,
        deployer=Deployer("deployer", grants),
    )


def declared(partner_id: str | None = CONTOSO.id, **rest: Any) -> Declared:
    return Declared(ONE, partner_id, **rest)


def subject(
    what: Declared,
    view: Live,
    managed_by: str | None = None,
    recorded: bool = False,
    unknown: Collection[str] = (),
) -> Subject:
    return Subject(
        what,
        Terms(TODAY),
        view,
        managed_by=managed_by,
        recorded=recorded,
        unknown=frozenset(unknown),
    )


def found(rule: str, item: Subject) -> list[str]:
    findings = list(all_rules()[rule].find(item))
    assert all(finding.rule == rule for finding in findings)
    assert all(finding.message.isprintable() for finding in findings)
    return [finding.message for finding in findings]


# --- The rules' registry -----------------------------------------------------------------------


def test_each_module_holds_one_rule_of_its_own_name_in_order() -> None:
    modules = sorted(
        info.name for info in pkgutil.iter_modules(rules.__path__) if info.name.startswith("dpor")
    )
    assert [rule_id.lower() for rule_id in all_rules()] == modules
    for rule_id, rule in all_rules().items():
        assert type(rule).__module__ == f"dpor_provider.rules.{rule_id.lower()}"
        assert rule.id == rule_id


def test_rules_have_ids_names_and_summaries_of_their_own() -> None:
    every = list(all_rules().values())
    for attribute in ("id", "name", "summary"):
        assert len({getattr(rule, attribute) for rule in every}) == len(every)
    for rule in every:
        assert rule.summary.endswith(".")
        assert rule.name == rule.name.lower().replace(" ", "-")


def test_rules_are_about_properties_that_a_declaration_has() -> None:
    for rule in all_rules().values():
        assert rule.property_name in INPUTS


def test_a_finding_has_the_place_of_its_property_and_the_subscription() -> None:
    place = Position("partners.yaml", 7, 5, 7, 12)
    item = subject(declared("123", where={"partner_id": place}), live())
    (finding,) = guard(item)
    assert (finding.rule, finding.where, finding.property_name) == ("DPOR101", place, "partner_id")
    assert finding.subscription_id == ONE
    assert str(finding) == f"partners.yaml:7:5: {finding.message} [DPOR101]"


def test_while_the_subscriptions_id_is_unknown_only_the_partner_is_examined() -> None:
    item = subject(
        Declared("", "123", "x"),
        live(designation(FABRIKAM.id, managed_by="other/dev/x"), grants=()),
        managed_by="estate/dev/x",
        unknown=["subscription_id"],
    )
    findings = guard(item)
    assert [finding.rule for finding in findings] == ["DPOR101"]
    assert findings[0].subscription_id is None


def test_what_is_not_known_yet_is_not_unreadable() -> None:
    view = replace(live(), visible={ONE}, invisible_because="Azure shows no such subscription")
    waiting = subject(Declared("", CONTOSO.id), view, unknown=["subscription_id"])
    (finding,) = all_rules()["DPOR204"].find(waiting)
    assert finding.level is Level.ADVISORY
    elsewhere = subject(Declared("0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2aff", CONTOSO.id), view)
    (message,) = found("DPOR204", elsewhere)
    assert message.endswith("could not be read: Azure shows no such subscription")


def test_several_problems_of_one_subscription_are_all_found_in_order() -> None:
    item = subject(
        declared(NORTHWIND.id, partner_name="Northwind"),
        live(designation(FABRIKAM.id, managed_by="other/dev/x"), grants=()),
        managed_by="estate/dev/x",
    )
    assert [finding.rule for finding in guard(item)] == [
        "DPOR103",
        "DPOR201",
        "DPOR301",
        "DPOR304",
        "DPOR401",
    ]


def test_a_sound_declaration_has_no_finding() -> None:
    item = subject(
        declared(partner_name=CONTOSO.name),
        live(designation(managed_by="estate/dev/x")),
        managed_by="estate/dev/x",
    )
    assert guard(item) == ()


@pytest.mark.parametrize("intent", [Intent.NONE, Intent.UNDECIDED])
def test_where_no_partner_is_wanted_no_partner_is_examined(intent: Intent) -> None:
    item = subject(declared(None, intent=intent), live(designation(FABRIKAM.id)))
    assert guard(item) == ()


# --- DPOR101 malformed-partner-id ---------------------------------------------------------------


@pytest.mark.parametrize(
    "partner_id", ["10000", "54321", "4567890", "99999998", "123457", "2345678", "11112"]
)
def test_five_to_eight_digits_are_well_formed(partner_id: str) -> None:
    assert found("DPOR101", subject(declared(partner_id), live())) == []


@pytest.mark.parametrize(
    ("partner_id", "said"),
    [
        ("", "'' is no Partner ID: it is empty; write 5 to 8 digits"),
        ("  ", "it is empty"),
        (" 4567890", "it has blanks around it; did you mean '4567890'?"),
        ("4567890 ", "it has blanks around it; did you mean '4567890'?"),
        ("4567890\n", r"'4567890\n' is no Partner ID: it has blanks around it; did you mean"),
        ("\u00a04567890", "it has blanks around it; did you mean '4567890'?"),
        ("4 567 890", "write 5 to 8 digits and nothing else; did you mean '4567890'?"),
        ("４５６７８９０", "its digits are not the ASCII ones; did you mean '4567890'?"),
        ("٤٥٦٧٨٩٠", "its digits are not the ASCII ones; did you mean '4567890'?"),
        ("456789٠", "its digits are not the ASCII ones; did you mean '4567890'?"),
        ("04567890", "it starts with 0; did you mean '4567890'?"),
        ("0004567890", "it starts with 0; did you mean '4567890'?"),
        ("00000", "it starts with 0"),
        ("0", "it has 1 digits"),
        ("MPN-4567890", "write 5 to 8 digits and nothing else; did you mean '4567890'?"),
        ("4567890.0", "write 5 to 8 digits and nothing else"),
        ("4567890\u200b", "write 5 to 8 digits and nothing else; did you mean '4567890'?"),
        ("-4567890", "write 5 to 8 digits and nothing else; did you mean '4567890'?"),
        ("Contoso", "write 5 to 8 digits and nothing else"),
        ("²³²³²³", "write 5 to 8 digits and nothing else"),
        ("12345", "it is a placeholder; ask the partner for its Partner ID (MPN ID)"),
        ("123456", "it is a placeholder"),
        ("1234567", "it is a placeholder"),
        ("12345678", "it is a placeholder"),
        ("11111", "it is a placeholder"),
        ("99999999", "it is a placeholder"),
        ("4567", "it has 4 digits, where a Partner ID has 5 to 8"),
        ("456789012", "it has 9 digits, where a Partner ID has 5 to 8"),
        (ONE, "it is a GUID, such as a tenant id or a usage attribution id"),
        (f" {ONE.upper()} ", "it is a GUID"),
        (f"pid-{ONE}", "it is a customer usage attribution id; ask the partner"),
    ],
)
def test_what_is_no_partner_id_is_found_and_said_what_it_looks_like(
    partner_id: str, said: str
) -> None:
    (message,) = found("DPOR101", subject(declared(partner_id), live()))
    assert message.startswith(f"{partner_id!r} is no Partner ID: ")
    assert said in message


@pytest.mark.parametrize(
    "partner_id", ["MPN-1234567", " 1234567", "01234567", "0000", "１１１１１"]
)
def test_a_placeholder_is_never_suggested(partner_id: str) -> None:
    (message,) = found("DPOR101", subject(declared(partner_id), live()))
    assert "did you mean" not in message


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=12), st.from_regex(r"\d{0,10}", fullmatch=True)))
def test_any_text_is_a_partner_id_or_is_said_not_to_be_one_in_one_line(text: str) -> None:
    problem = malformed(text)
    if problem is None:
        assert text.isascii()
        assert text.isdigit()
        assert 5 <= len(text) <= 8
        assert text[0] != "0"
    else:
        assert problem.isprintable()


# --- DPOR102 unknown-partner --------------------------------------------------------------------


def test_a_partner_of_the_directory_is_known() -> None:
    for partner in (CONTOSO, NORTHWIND):
        assert found("DPOR102", subject(declared(partner.id), live())) == []


@pytest.mark.parametrize("partner_id", [None, "", "123", "12345", ONE])
def test_what_is_malformed_is_not_called_unknown_too(partner_id: str | None) -> None:
    assert found("DPOR102", subject(declared(partner_id), live())) == []


@pytest.mark.parametrize(
    ("partner_id", "name", "said"),
    [
        ("4567980", None, "did you mean 4567890 (Contoso Consulting)? If not, a Global Admin"),
        ("7777712", "fabrikam  cloud services", "did you mean 5127255 (Fabrikam Cloud Services)?"),
        ("11119999", None, "dpor registry partner add 11119999 NAME"),
        ("11119999", "Tailspin", "dpor registry partner add 11119999 Tailspin"),
        ("11119999", None, "is not in the directory of registry sqlite:////registry.db; if it is"),
        ("3456789", None, "was renumbered: Contoso Consulting has 4567890 now; declare that"),
    ],
)
def test_an_unknown_partner_is_found_with_what_to_do(
    partner_id: str, name: str | None, said: str
) -> None:
    (message,) = found("DPOR102", subject(declared(partner_id, partner_name=name), live()))
    assert message.startswith(f"Partner ID {partner_id} ")
    assert said in message


# --- DPOR103 partner-name-mismatch --------------------------------------------------------------


@pytest.mark.parametrize(
    ("partner_id", "name"),
    [
        (CONTOSO.id, None),
        (CONTOSO.id, "Contoso Consulting"),
        (CONTOSO.id, "  CONTOSO   consulting "),
        (CONTOSO.id, "Ｃontoso\u00a0Consulting"),
        ("11119999", "Tailspin"),
        (None, "Contoso"),
    ],
)
def test_a_name_on_record_or_of_an_unknown_partner_is_no_mismatch(
    partner_id: str | None, name: str | None
) -> None:
    assert found("DPOR103", subject(declared(partner_id, partner_name=name), live())) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Contoso", "on record as 'Contoso Consulting', not 'Contoso': correct the ID or the name"),
        ("", "not ''"),
        ("fabrikam cloud services", "'fabrikam cloud services' is 5127255"),
        ("contoso LTD", "is a former name of partner 4567890; it is called 'Contoso Consulting'"),
        ("Contoso\nConsulting Inc", r"not 'Contoso\nConsulting Inc'"),
    ],
)
def test_another_name_than_the_one_on_record_is_found(name: str, said: str) -> None:
    (message,) = found("DPOR103", subject(declared(partner_name=name), live()))
    assert said in message


# --- DPOR201 unauthorized-deployer --------------------------------------------------------------


@pytest.mark.parametrize(
    "grant",
    [
        Grant("deployer", Role.GLOBAL_ADMINISTRATOR, "/"),
        Grant("deployer", Role.OWNER, "/"),
        Grant("deployer", Role.CONTRIBUTOR, f"/subscriptions/{ONE}"),
    ],
)
def test_a_deployer_with_a_role_at_or_above_the_subscription_may(grant: Grant) -> None:
    assert found("DPOR201", subject(declared(), live(grants=(grant,)))) == []


@pytest.mark.parametrize(
    ("grants", "said"),
    [
        ((), "and holds no role;"),
        (
            (
                Grant("deployer", Role.OWNER, f"/subscriptions/{OTHER}"),
                Grant("deployer", Role.CONTRIBUTOR, f"/subscriptions/{OTHER}"),
            ),
            f"holds Owner at /subscriptions/{OTHER}, Contributor at /subscriptions/{OTHER};",
        ),
    ],
)
def test_a_deployer_without_one_is_found_with_what_it_holds(
    grants: tuple[Grant, ...], said: str
) -> None:
    (message,) = found("DPOR201", subject(declared(), live(grants=grants)))
    assert message.startswith(f"deployer may not designate the partner of subscription {ONE}")
    assert said in message
    assert message.endswith(f"dpor registry grant deployer Owner --scope /subscriptions/{ONE}")


# --- DPOR301 retired-partner --------------------------------------------------------------------


@pytest.mark.parametrize("partner_id", [CONTOSO.id, "11119999", None])
def test_a_partner_that_is_active_or_unknown_is_not_retired(partner_id: str | None) -> None:
    assert found("DPOR301", subject(declared(partner_id), live())) == []


@pytest.mark.parametrize(
    ("partner", "said"),
    [
        (NORTHWIND, "is retired; declare its successor, 4567890 (Contoso Consulting)"),
        (ADATUM, "is retired; declare another partner"),
    ],
)
def test_a_retired_partner_is_found_with_its_successor(partner: Partner, said: str) -> None:
    (message,) = found("DPOR301", subject(declared(partner.id), live()))
    assert message == f"partner {partner.name} ({partner.id}) {said}"


# --- DPOR304 unexpected-partner -----------------------------------------------------------------


@pytest.mark.parametrize(
    "item",
    [
        subject(declared(), live()),
        subject(declared(), live(designation(None))),
        subject(declared(), live(designation())),
        subject(declared(), live(designation("3456789"))),
        subject(declared("3456789"), live(designation())),
        subject(declared(None, intent=Intent.NONE), live(designation(FABRIKAM.id))),
        subject(declared(replaces_partner_id=FABRIKAM.id), live(designation(FABRIKAM.id))),
        subject(
            declared(FABRIKAM.id, replaces_partner_id=CONTOSO.id), live(designation("3456789"))
        ),
        subject(declared(), live(designation(FABRIKAM.id)), recorded=True),
    ],
)
def test_nothing_unexpected_is_replaced(item: Subject) -> None:
    assert found("DPOR304", item) == []


def test_another_live_partner_is_found_with_who_made_it_and_how_to_replace_it() -> None:
    (message,) = found("DPOR304", subject(declared(), live(designation(FABRIKAM.id))))
    assert message == (
        f"subscription {ONE} has 5127255 (Fabrikam Cloud Services), set by alice at"
        " 2026-11-23 12:00:00.000000 UTC (version 3), which is not replaced; if it is to be, say"
        " so with: replaces (replaces_partner_id) 5127255"
    )


def test_a_replacement_of_somebody_else_is_found_with_whom_it_names() -> None:
    item = subject(declared(replaces_partner_id=NORTHWIND.id), live(designation(FABRIKAM.id)))
    (message,) = found("DPOR304", item)
    assert "not replaced, since only 2345678 (Northwind Traders IT) may be;" in message


def test_a_partner_that_only_the_platform_shows_is_unexpected_too() -> None:
    seen = Observation(ONE, FABRIKAM.id, None, "bob", NOW)
    for view in (live(seen=[seen]), live(designation(), seen=[seen])):
        (message,) = found("DPOR304", subject(declared(), view))
        assert "seen on the platform by bob" in message
    pending = live(designation(effective=False), seen=[seen])
    assert found("DPOR304", subject(declared(), pending)) == []


# --- DPOR401 duplicate-designation --------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "own", "moved_from"),
    [
        (None, "estate/dev/x", None),
        ("estate/dev/x", None, None),
        ("estate/dev/x", "estate/dev/x", None),
        ("estate/dev/x", "estate/prod/y", None),
        ("other/dev/x", "estate/dev/x", "other"),
    ],
)
def test_a_subscription_of_nobody_or_of_the_own_project_or_that_moves_is_no_duplicate(
    owner: str | None, own: str | None, moved_from: str | None
) -> None:
    view = live(designation(managed_by=owner))
    item = subject(declared(moved_from=moved_from), view, managed_by=own)
    assert found("DPOR401", item) == []


@pytest.mark.parametrize("moved_from", [None, "third", "other/dev/x", "oth"])
def test_a_subscription_of_another_project_is_found_with_its_owner(moved_from: str | None) -> None:
    view = live(designation(managed_by="other/dev/x"))
    item = subject(declared(moved_from=moved_from), view, managed_by="estate/dev/x")
    (message,) = found("DPOR401", item)
    assert f"subscription {ONE} belongs to other/dev/x (project/stack/resource)" in message
    assert message.endswith("moved_from other")


def test_a_project_whose_name_only_begins_alike_is_another() -> None:
    view = live(designation(managed_by="estate-2/dev/x"))
    assert found("DPOR401", subject(declared(), view, managed_by="estate/dev/x"))


# --- Stale access -------------------------------------------------------------------------------

AT_ONE = f"/subscriptions/{ONE}"


def access(partner_id: str, scope: str = AT_ONE) -> Access:
    name = f"{partner_id}@{scope}"
    return Access(name, scope, f"sp-{partner_id}", "Reader", partner_id, "alice", NOW)


FORMER = {ONE: (FABRIKAM.id,)}


@pytest.mark.parametrize(
    ("item", "former", "rest", "stale"),
    [
        pytest.param(access(FABRIKAM.id), FORMER, {}, True, id="former"),
        pytest.param(access(FABRIKAM.id), {}, {}, False, id="neither former nor retired"),
        pytest.param(
            access(FABRIKAM.id), {OTHER: (FABRIKAM.id,)}, {}, False, id="former elsewhere"
        ),
        pytest.param(access(FABRIKAM.id, "/"), FORMER, {}, True, id="former, inherited"),
        pytest.param(
            access(FABRIKAM.id, f"/subscriptions/{OTHER}"), FORMER, {}, False, id="held elsewhere"
        ),
        pytest.param(
            access(FABRIKAM.id), FORMER, {"also_partner_ids": (FABRIKAM.id,)}, False, id="also"
        ),
        pytest.param(access(NORTHWIND.id), {}, {}, True, id="retired"),
        pytest.param(access(NORTHWIND.id, "/"), {}, {}, True, id="retired, inherited"),
        pytest.param(
            access(NORTHWIND.id),
            {},
            {"also_partner_ids": (NORTHWIND.id,)},
            False,
            id="retired, but also",
        ),
        pytest.param(access(CONTOSO.id), {ONE: (CONTOSO.id,)}, {}, False, id="the declared one"),
        pytest.param(access("3456789"), {ONE: (CONTOSO.id,)}, {}, False, id="declared, old id"),
        pytest.param(access(CONTOSO.id), {ONE: ("3456789",)}, {}, False, id="declared, was former"),
        pytest.param(
            access("3456789"),
            {ONE: (CONTOSO.id,)},
            {"partner_id": FABRIKAM.id},
            True,
            id="former, held under its old id",
        ),
        pytest.param(
            access(CONTOSO.id),
            {ONE: ("3456789",)},
            {"partner_id": FABRIKAM.id},
            True,
            id="former under its old id",
        ),
        pytest.param(
            access(CONTOSO.id),
            {ONE: (CONTOSO.id,)},
            {"partner_id": FABRIKAM.id, "also_partner_ids": ("3456789",)},
            False,
            id="also, by its old id",
        ),
        pytest.param(access("11119999"), {ONE: ("11119999",)}, {}, True, id="former, unknown"),
        pytest.param(access("11119999"), {}, {}, False, id="unknown"),
        pytest.param(
            access(CONTOSO.id),
            {ONE: (CONTOSO.id,)},
            {"partner_id": None, "intent": Intent.NONE},
            True,
            id="former where no partner is wanted",
        ),
    ],
)
def test_stale_is_access_of_former_and_retired_partners_that_reaches_the_subscription(
    item: Access, former: Mapping[str, Collection[str]], rest: dict[str, Any], stale: bool
) -> None:
    fields = {"partner_id": CONTOSO.id, **rest}
    view = live(access=[item], former=former)
    assert view.stale_access(declared(**fields)) == ((item,) if stale else ())


@pytest.mark.parametrize("leaving", [FABRIKAM.id, CONTOSO.id, "3456789", None])
def test_a_partner_that_is_about_to_leave_counts_as_former_unless_it_is_wanted(
    leaving: str | None,
) -> None:
    items = [access(FABRIKAM.id), access(FABRIKAM.id, "/"), access(CONTOSO.id)]
    found = live(access=items).stale_access(declared(), leaving)
    assert set(found) == (set(items[:2]) if leaving == FABRIKAM.id else set())


def test_access_that_was_removed_is_stale_no_more() -> None:
    items = [access(FABRIKAM.id), access(NORTHWIND.id)]
    view = live(access=items, former=FORMER)
    assert set(view.stale_access(declared())) == set(items)
    view.forget(items[:1])
    assert view.stale_access(declared()) == (items[1],)


def test_a_finding_without_a_place_says_only_the_rule() -> None:
    assert str(Finding("DPOR101", "wrong")) == "wrong [DPOR101]"
