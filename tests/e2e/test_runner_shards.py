"""`--shard K/N` on the real engine: every subscription in one stack, and in one at every moment."""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from support.backends import CONTOSO, Backend
from support.pulumi_project import Project
from support.thorough import thorough

from dpor_provider.model import Action
from dpor_provider.resources.shard import WHOLE, Shard


def declare(project: Project, ids: list[str]) -> None:
    """Declare subscriptions in a file, by a program that knows nothing of shards."""
    (project.folder / "partners.yaml").write_text(
        json.dumps(
            {
                "version": 1,
                "partners": {"contoso": {"id": CONTOSO.id, "name": CONTOSO.name}},
                "subscriptions": [{"id": one, "partner": "contoso"} for one in ids],
            }
        )
    )
    program = project.folder / "__main__.py"
    program.write_text('from dpor_provider import declare\n\ndeclare("partners.yaml")\n')


def held(project: Project, shard: Shard) -> set[str]:
    return {one["outputs"]["subscription_id"] for one in project.state(shard.stack("dev"))}


def of(shard: Shard) -> tuple[str, ...]:
    """The options by which a shard is deployed; the whole estate is no shard's."""
    return ("--stack", "dev", *(("--shard", str(shard)) if shard != WHOLE else ()))


def writes(backend: Backend) -> Counter[str]:
    return Counter(
        entry.action.value
        for entry in backend.registry().audit.entries()
        if entry.subscription_id and entry.action is not Action.ADOPT
    )


def shards(count: int) -> list[Shard]:
    return [Shard(number, count) for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("backend", "before", "after"),
    [
        ("sqlite-portal", 1, 2),
        pytest.param("sqlite-portal", 3, 2, marks=thorough),
        pytest.param("postgresql-portal", 2, 3, marks=thorough),
    ],
    indirect=["backend"],
)
def test_no_subscription_is_without_its_partner_while_the_number_of_shards_changes(
    project: Project, backend: Backend, before: int, after: int
) -> None:
    ids = [str(uuid.uuid4()) for _ in range(12)]
    declare(project, ids)
    files = {file.name for file in project.folder.iterdir()}
    for shard in shards(before):
        project.dpor("up", *of(shard)).ok()
    # One goes in the same change; it is withdrawn with the old shards, which alone know of it.
    declare(project, ids[1:])
    for shard in random.sample(shards(after), after):
        project.dpor("up", *of(shard)).ok()
    assert {one for one in ids if backend.live(one)} == set(ids)
    for shard in random.sample(shards(before), before):
        project.dpor("destroy", *of(shard)).ok()
    found = [held(project, shard) for shard in shards(after)]
    assert sorted(one for part in found for one in part) == sorted(ids[1:])
    assert {one for one in ids if backend.live(one)} == set(ids[1:])
    assert writes(backend) == {"designate": len(ids), "withdraw": 1}
    assert {row.managed_by for row in backend.registry().designations.all().values()} == {
        *(
            f"estate/{s.stack('dev')}/{one}"
            for s in shards(after)
            for one in ids[1:]
            if s.holds(one)
        ),
        None,
    }
    for shard in shards(after):
        project.dpor("preview", *of(shard), "--expect-no-changes").ok()
    made = {file.name for file in project.folder.iterdir()} - files
    assert made <= {"__pycache__"}


@pytest.mark.parametrize("backend", ["sqlite-portal", "postgresql-portal"], indirect=True)
def test_shards_that_are_deployed_at_the_same_moment_are_one_estate(
    project: Project, backend: Backend
) -> None:
    ids = [str(uuid.uuid4()) for _ in range(20)]
    declare(project, ids)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda shard: project.dpor("up", *of(shard)), shards(2)))
    for run in runs:
        run.ok()
    parts = [held(project, shard) for shard in shards(2)]
    assert sorted(one for part in parts for one in part) == sorted(ids)
    assert {one for one in ids if backend.live(one)} == set(ids)
    assert writes(backend) == {"designate": len(ids)}


@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_plain_pulumi_deploys_a_shard_that_the_environment_names(
    project: Project, backend: Backend
) -> None:
    ids = {str(uuid.uuid4()) for _ in range(12)}
    declare(project, sorted(ids))
    shard = Shard(1, 2)
    project.configure(backend.config, shard.stack("dev"))
    project.run("stack", "init", shard.stack("dev")).ok()
    named = replace(project, settings={**project.settings, "DPOR_SHARD": str(shard)})
    named.up(stack=shard.stack("dev")).ok()
    assert held(project, shard) == {one for one in ids if shard.holds(one)}
    assert {one for one in ids if backend.live(one)} == held(project, shard)


@pytest.mark.parametrize("backend", ["sqlite-portal"], indirect=True)
def test_a_shards_stack_is_not_deployed_as_another_or_as_the_whole(
    project: Project, backend: Backend, subscription: str
) -> None:
    declare(project, [subscription])
    name = Shard(1, 2).stack("dev")
    project.configure(backend.config, name)
    project.run("stack", "init", name).ok()
    output = project.up(stack=name).failed().output
    assert "use dpor --shard 1/2, or set DPOR_SHARD" in output
    project.configure(backend.config | {"dpor:shard": "2/2"}, name)
    assert "is not that of shard 2/2" in project.up(stack=name).failed().output
    project.configure(backend.config | {"dpor:shard": "1/2"}, name)
    project.up(stack=name).ok()
    assert (backend.live(subscription) is not None) == Shard(1, 2).holds(subscription)
    run = project.dpor("destroy", "--stack", "dev", "--shard", "2/2")
    assert (run.exit_code, run.output) == (
        2,
        "dpor: there is no stack 'dev-2-of-2'; dpor up --shard 2/2 makes it\n",
    )
