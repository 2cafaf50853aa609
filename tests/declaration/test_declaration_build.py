import uuid
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dpor_provider.declaration import Loaded, load
from dpor_provider.model import (
    Agreement,
    Declared,
    FormerAccess,
    Intent,
    OnDelete,
    Partner,
    Position,
    RuleException,
    Status,
)

EVERYTHING = Path(__file__).parent / "examples" / "valid" / "everything.yaml"
HEAD = 'version: 1\npartners: {contoso: {id: "4567890", name: Contoso}}\n'
ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="module")
def everything() -> Loaded:
    return load([EVERYTHING])


def load_text(tmp_path: Path, text: str) -> Loaded:
    file = tmp_path / "partners.yaml"
    file.write_text(text, "utf-8")
    return load([file])


def test_partners(everything: Loaded) -> None:
    assert everything.estate.partners == {
        "contoso": Partner(
            id="4567890",
            name="Contoso Consulting",
            former_ids=("3456789", "2345678"),
            former_names=("Contoso Ltd",),
            principals=("aaaaaaaa-0000-4000-8000-000000000001",),
            tenants=("bbbbbbbb-0000-4000-8000-000000000001",),
            agreement=Agreement("DSA-2026-014", date(2027, 6, 30)),
        ),
        "fabrikam": Partner(id="5678901", name="Fabrikam"),
        "northwind": Partner(
            id="6789012", name="Northwind", status=Status.RETIRED, replaced_by="5678901"
        ),
    }


def test_subscriptions(everything: Loaded) -> None:
    manual = RuleException("DPOR303", "Manual until March", date(2027, 3, 31))
    contoso: dict[str, Any] = {"partner_id": "4567890", "partner_name": "Contoso Consulting"}
    assert everything.estate.subscriptions == (
        Declared(
            subscription_id="6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            name="Payments production",
            replaces_partner_id="6789012",
            moved_from="other-project",
            former_access=FormerAccess(True, date(2026, 12, 31), "Handover, CHG-1234"),
            also_partner_ids=("5678901",),
            on_delete=OnDelete.WITHDRAW,
            exceptions=(
                RuleException("DPOR302", "Handover until year end, CHG-1234", date(2026, 12, 31)),
            ),
            **contoso,
        ),
        Declared("33333333-3333-4333-8333-333333333333", intent=Intent.UNDECIDED),
        Declared(
            "44444444-4444-4444-8444-444444444444",
            replaces_partner_id="7890123",
            former_access=FormerAccess(keep=True),
            on_delete=OnDelete.RETAIN,
            **contoso,
        ),
        Declared(
            ONE,
            partner_id="5678901",
            partner_name="Fabrikam",
            name="Shop",
            group="Retail",
            exceptions=(manual,),
        ),
        Declared(
            TWO,
            intent=Intent.NONE,
            reason="Sandbox, billed internally",
            group="Retail",
            exceptions=(manual, RuleException("DPOR302", "Handover, CHG-1", date(2026, 12, 31))),
        ),
    )


def places(declared: Declared) -> dict[str, tuple[int, int, int]]:
    assert {where.file for where in declared.where.values()} == {str(EVERYTHING)}
    assert all(where.line == where.end_line for where in declared.where.values())
    return {key: (at.line, at.column, at.end_column) for key, at in declared.where.items()}


def test_places_of_own_values(everything: Loaded) -> None:
    assert places(everything.estate.subscriptions[0]) == {
        "subscription_id": (33, 9, 45),
        "name": (34, 11, 30),
        "partner_id": (35, 14, 21),
        "partner_name": (35, 14, 21),
        "directory_id": (5, 9, 18),
        "directory_name": (6, 11, 29),
        "replaces_partner_id": (36, 15, 24),
        "moved_from": (37, 17, 30),
        "former_access": (38, 20, 74),
        "also_partner_ids": (39, 11, 21),
        "on_delete": (40, 16, 24),
        "exceptions": (42, 7, 90),
        "exceptions[0]": (42, 9, 90),
    }


def test_places_of_inherited_values(everything: Loaded) -> None:
    shop, sandbox = everything.estate.subscriptions[3:]

    assert places(shop) == {
        "subscription_id": (26, 14, 50),
        "name": (26, 58, 62),
        "partner_id": (22, 14, 22),
        "partner_name": (22, 14, 22),
        "directory_id": (13, 18, 25),
        "directory_name": (13, 33, 41),
        "former_access": (19, 45, 51),
        "exceptions": (24, 7, 75),
        "exceptions[0]": (24, 9, 75),
    }
    assert places(sandbox) == {
        "subscription_id": (27, 13, 49),
        "partner_id": (28, 18, 22),
        "partner_name": (28, 18, 22),
        "reason": (29, 17, 43),
        "former_access": (19, 45, 51),
        "exceptions": (31, 11, 78),
        "exceptions[0]": (24, 9, 75),
        "exceptions[1]": (31, 13, 78),
    }


def test_columns_count_characters(tmp_path: Path) -> None:
    text = f'{HEAD}subscriptions: [{{name: "Größe 😀", id: {ONE}, partner: contoso}}]\n'

    (declared,) = load_text(tmp_path, text).estate.subscriptions

    assert declared.where["subscription_id"].column == 39
    assert declared.where["name"].end_column == 33


def test_place_of_a_block_and_of_text_over_several_lines(tmp_path: Path) -> None:
    text = f"""{HEAD}subscriptions:
  - id: {ONE}
    former_access:
      keep_until: 2026-12-31
      reason: Handover

    # a remark
    also:
      - contoso
    name: "Payments
      production"
    partner: contoso
"""

    (declared,) = load_text(tmp_path, text).estate.subscriptions

    file = str(tmp_path / "partners.yaml")
    assert declared.where["former_access"] == Position(file, 6, 7, 7, 23)
    assert declared.where["also_partner_ids"] == Position(file, 11, 7, 11, 16)
    assert declared.where["name"] == Position(file, 12, 11, 13, 18)
    assert declared.name == "Payments production"


def test_nearer_settings_come_first(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        f"""version: 1
partners:
  a: {{id: "1", name: A}}
  b: {{id: "2", name: B}}
defaults: {{partner: none, reason: Sandbox, moved_from: x, on_delete: retain, also: [a]}}
groups:
  - name: g
    partner: a
    moved_from: y
    also: []
    subscriptions:
      - {{id: {ONE}}}
      - {{id: {TWO}, partner: b, moved_from: z, on_delete: withdraw}}
subscriptions:
  - {{id: 33333333-3333-4333-8333-333333333333}}
  - {{id: 44444444-4444-4444-8444-444444444444, partner: undecided}}
""",
    )

    assert loaded.findings == ()
    assert [
        (d.partner_id, d.intent.value, d.reason, d.moved_from, d.on_delete, d.also_partner_ids)
        for d in loaded.estate.subscriptions
    ] == [
        (None, "none", "Sandbox", "x", "retain", ("1",)),
        (None, "undecided", None, "x", "retain", ("1",)),
        ("1", "designated", None, "y", "retain", ()),
        ("2", "designated", None, "z", "withdraw", ()),
    ]
    undecided, designated = loaded.estate.subscriptions[1:3]
    assert "reason" not in undecided.where
    assert "directory_id" not in undecided.where
    assert designated.where["directory_id"].line == 3


def test_defaults_are_their_own_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\ndefaults: {partner: undecided}\n")
    (tmp_path / "b.yaml").write_text(f"version: 1\nsubscriptions: [{{id: {ONE}}}]\n")

    loaded = load([tmp_path / "a.yaml", tmp_path / "b.yaml"])

    assert [finding.property_name for finding in loaded.findings] == ["partner_id"]


def test_findings_name_their_subscription_and_property(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        f"""{HEAD}subscriptions:
  - id: {ONE.upper()}
    partner: contosso
    replaces: northwind
    also: contoso
    former_access: {{keep_until: 2026-02-30, reason: Handover}}
    exceptions: [{{rule: DPOR302, reason: Handover, expires: tomorrow}}]
    colour: red
  - id: payments
    partner: contoso
""",
    )

    assert [(each.subscription_id, each.property_name) for each in loaded.findings] == [
        (ONE, "partner_id"),
        (ONE, "replaces_partner_id"),
        (ONE, "also_partner_ids"),
        (ONE, "former_access"),
        (ONE, "exceptions"),
        (ONE, None),
        (None, "subscription_id"),
    ]
    assert {finding.rule for finding in loaded.findings} == {"DPOR001"}


@pytest.mark.parametrize(
    "broken",
    [
        "partner: contosso",
        "partner: contoso\n    partner: contoso",
        "partner: contoso\n    colour: red",
        "partner: contoso\n    name: 1",
        "partner: contoso\n    former_access: {keep_until: 2026-02-30, reason: x}",
        "partner: contoso\n    former_access: {keep_until: 2026-02-03, reason: x, reason: x}",
        "partner: contoso\n    exceptions: [{rule: a, reason: b, expires: c}]",
        "partner: contoso\n    exceptions: [{rule: a, rule: b, reason: b, expires: 2026-02-03}]",
        "<<: {partner: contoso}",
        "name: Payments",
    ],
)
def test_a_subscription_with_a_problem_is_left_out_alone(tmp_path: Path, broken: str) -> None:
    loaded = load_text(
        tmp_path,
        f"{HEAD}subscriptions:\n  - id: {ONE}\n    {broken}\n  - {{id: {TWO}, partner: contoso}}\n",
    )

    assert len(loaded.findings) == 1
    assert [each.subscription_id for each in loaded.estate.subscriptions] == [TWO]


@pytest.mark.parametrize(
    "broken",
    [
        '{id: "1"}',
        '{id: "1", name: A, colour: red}',
        '{id: "1", name: A, name: A}',
        '{id: "1", name: A, agreement: {reference: x, expires: y}}',
        '{id: "1", name: A, agreement: {reference: x, reference: y}}',
        "*a",
    ],
)
def test_a_partner_with_a_problem_is_reported_once(tmp_path: Path, broken: str) -> None:
    loaded = load_text(
        tmp_path,
        f"version: 1\npartners: {{a: {broken}, b: {{id: '2', name: B}}}}\nsubscriptions:\n"
        f"  - {{id: {ONE}, partner: a}}\n  - {{id: {TWO}, partner: b}}\n"
        "  - {id: 33333333-3333-4333-8333-333333333333, partner: b, also: [a], replaces: a}\n",
    )

    assert len(loaded.findings) == 1
    assert [each.subscription_id for each in loaded.estate.subscriptions] == [TWO]
    assert [*loaded.estate.partners] == ["b"]


def test_a_partners_key_may_look_like_a_partner_id(tmp_path: Path) -> None:
    text = f"""version: 1
partners: {{"4567890": {{id: "1", name: A}}}}
subscriptions: [{{id: {ONE}, partner: "4567890", replaces: 4567890}}]
"""

    (declared,) = load_text(tmp_path, text).estate.subscriptions

    assert (declared.partner_id, declared.replaces_partner_id) == ("1", "1")


def test_an_unknown_successor_leaves_the_partner_usable(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        "version: 1\npartners: {a: {id: '1', name: A, status: retired, replaced_by: z}}\n"
        f"subscriptions: [{{id: {ONE}, partner: a}}]\n",
    )

    assert [each.property_name for each in loaded.findings] == [None]
    assert loaded.estate.partners["a"].replaced_by is None
    assert len(loaded.estate.subscriptions) == 1


def test_every_entry_of_a_wrong_shape_is_reported(tmp_path: Path) -> None:
    entries = [
        f"  - {{id: {number:08}-0000-4000-8000-000000000000, name: {name}, partner: contoso}}\n"
        for number, name in enumerate(['"a"', '" "', '"b"', '""', '" "', "none", "no"])
    ]

    loaded = load_text(tmp_path, f"{HEAD}subscriptions:\n{''.join(entries)}")

    assert [each.where.line for each in loaded.findings if each.where] == [5, 7, 8, 10]
    assert [each.name for each in loaded.estate.subscriptions] == ["a", "b", "none"]


def test_a_mistyped_partner_is_found_where_a_file_has_no_partners_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.partners.yaml").write_text(
        'version: 1\npartners:\n  contoso: {id: "4567890", name: Contoso Consulting}\n'
    )
    (tmp_path / "b.partners.yaml").write_text(
        f"version: 1\nsubscriptions:\n  - {{id: {uuid.uuid4()}, partner: contosso}}\n"
    )
    (finding,) = load([tmp_path]).findings
    assert "did you mean 'contoso'?" in finding.message


@pytest.mark.parametrize("document", ["", "partners: {}\n", "directory: shared.yaml\n"])
def test_a_subscription_that_is_left_out_is_never_left_out_in_silence(
    tmp_path: Path, document: str
) -> None:
    (tmp_path / "shared.yaml").write_text("version: 1\n")
    path = tmp_path / "partners.yaml"
    path.write_text(
        f"version: 1\n{document}subscriptions:\n  - {{id: {uuid.uuid4()}, partner: contoso}}\n"
    )
    loaded = load([path])
    assert loaded.estate.subscriptions == ()
    assert [finding.property_name for finding in loaded.findings] == ["partner_id"]
