"""What a program may do: ids from other resources, files, mistakes."""

from __future__ import annotations

import json
import uuid

from support.backends import CONTOSO, FABRIKAM, NORTHWIND, Backend
from support.pulumi_project import Project, of


def made(name: str) -> str:
    """The id that the program's own resource gives a subscription."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def computed(name: str, partner_id: str = CONTOSO.id) -> dict[str, object]:
    return {"name": name, "made": f"{name}-subscription", "partner_id": partner_id}


def test_unknown_inputs_preview(project: Project, backend: Backend) -> None:
    backend.subscription(made("payments-subscription"))
    project.declare(computed("payments"))
    step = project.steps()["payments"]
    assert step.operation == "create"
    assert backend.writes() == []
    project.up().ok()
    assert backend.live(made("payments-subscription")) == CONTOSO.id
    project.assert_settled()


def test_an_unknown_id_hides_no_problem_of_the_partner(project: Project) -> None:
    project.declare(computed("payments", "4567891"))
    assert "DPOR102" in project.preview().failed().output


def test_declared_twice(project: Project, backend: Backend, subscription: str) -> None:
    project.declare(of(subscription, name="a"), of(subscription.upper(), name="b"))
    for command in ("preview", "up"):
        arguments = ("--yes", "--skip-preview") if command == "up" else ()
        output = project.run(command, *arguments).failed().output
        twice = f"b: subscription {subscription} is declared twice, the other time by 'a'"
        assert twice in output
        assert "dynamic/dpor" not in output
    assert backend.writes() == []


def test_declared_twice_by_a_computed_id(project: Project, backend: Backend) -> None:
    twice = backend.subscription(made("a-subscription"))
    project.declare(of(twice, name="b"), computed("a"))
    output = project.up("--skip-preview").failed().output
    assert "is declared twice, the other time by estate/dev/" in output
    assert backend.writes() == ["designate"]


def partners_yaml(subscriptions: list[dict[str, object]], **rest: object) -> str:
    return json.dumps(
        {
            "version": 1,
            "partners": {
                "contoso": {"id": CONTOSO.id, "name": CONTOSO.name},
                "fabrikam": {"id": FABRIKAM.id, "name": FABRIKAM.name},
            },
            "subscriptions": subscriptions,
            **rest,
        }
    )


def test_declare(project: Project, backend: Backend) -> None:
    one, other, none = (backend.subscription() for _ in range(3))
    (project.folder / "partners.yaml").write_text(
        partners_yaml(
            [
                {"id": one.upper(), "partner": "contoso"},
                {"id": other, "partner": "fabrikam", "former_access": "keep"},
                {"id": none, "partner": "none", "reason": "Internal"},
            ]
        )
    )
    project.declare(declare=["partners.yaml"])
    project.up().ok()
    assert (backend.live(one), backend.live(other)) == (CONTOSO.id, FABRIKAM.id)
    assert backend.live(none) is None
    assert sorted(resource["urn"].rpartition("::")[2] for resource in project.state()) == sorted(
        (one, other)
    )
    project.assert_settled()


def test_declare_reports_the_whole_estate_at_once(project: Project, backend: Backend) -> None:
    taken, wrong, twice = (backend.subscription() for _ in range(3))
    backend.designate(taken, NORTHWIND)
    (project.folder / "partners.yaml").write_text(
        partners_yaml(
            [
                {"id": taken, "partner": "contoso"},
                {"id": wrong, "partner": "fabrikm"},
                {"id": twice, "partner": "contoso"},
                {"id": twice, "partner": "fabrikam"},
            ]
        )
    )
    project.declare(declare=["partners.yaml"])
    output = project.preview().failed().output
    assert "3 problems; nothing was deployed" in output
    for expected in ("DPOR304", "DPOR001", "DPOR401", "partners.yaml:1:", "did you mean"):
        assert expected in output
    assert "dynamic/dpor" not in output


def test_declare_without_a_file(project: Project) -> None:
    project.declare(declare=["nowhere.yaml"])
    assert "nowhere.yaml" in project.preview().failed().output


def test_a_program_does_not_wait_for_each_output_of_all(project: Project, backend: Backend) -> None:
    size = 40
    project.declare(*(of(backend.subscription(), name=str(number)) for number in range(size)))
    program = project.folder / "__main__.py"
    program.write_text(COUNTING + program.read_text())
    project.up("--skip-preview").ok()
    waited = json.loads((project.folder / "waited.json").read_text())
    # An output that is open is waited for once; all of them, each time, would be `size` times this.
    assert sum(waited) <= 20 * size


COUNTING = """
import asyncio, atexit, json, pathlib

waited, wait = [], asyncio.wait


def counted(futures, **options):
    futures = list(futures)
    waited.append(len(futures))
    return wait(futures, **options)


asyncio.wait = counted
atexit.register(lambda: pathlib.Path("waited.json").write_text(json.dumps(waited)))
"""
"""Goes before a program, and keeps how many outputs it waited for each time."""
