"""Many subscriptions: observed in few requests, and switched while Azure throttles."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from azure_stand_in.builtin_roles import SUPPORT_REQUEST_CONTRIBUTOR
from azure_stand_in.estate import Subscription, assignment, guid
from azure_stand_in.faults import Respond
from azure_stand_in.throttling import Bucket, QueryQuota, Throttling
from sqlalchemy import insert
from support.backends import (
    CONTOSO,
    FABRIKAM,
    PARTNER_PRINCIPALS,
    TENANT,
    AzureBackend,
)

from dpor_provider.model import Designation
from dpor_provider.platforms import open_platform
from dpor_provider.registry import tables
from dpor_provider.registry.sqlite import connect
from dpor_provider.registry.url import resolve
from dpor_provider.resources.partner_of_record import Lifecycle

DPOR = Path(sys.executable).parent / "dpor"
MANY = 10_000
MEMORY = 200 * 1024 * 1024

# Linux counts to a program's peak what the process held before it became that program, so that
# the tests' own process, which is large, cannot be the one that starts it.
MEASURE = """
import resource, subprocess, sys
ended = subprocess.run(sys.argv[1:]).returncode
sys.stdout.write(f"\\n{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
sys.exit(ended)
"""


def fill(backend: AzureBackend, count: int) -> list[str]:
    """Subscriptions that were labelled and designated some time ago, each with its credit."""
    ids = [guid("many", number) for number in range(count)]
    with backend.stand_in.world.lock:
        for number, one in enumerate(ids):
            backend.stand_in.world.subscriptions.put(
                Subscription(
                    id=one,
                    name=f"Subscription {number}",
                    tenant_id=TENANT.id,
                    management_group="estate",
                    tags={"dpor-partner-id": CONTOSO.id, "dpor-partner-name": CONTOSO.name},
                )
            )
            backend.stand_in.world.role_assignments.put(
                assignment(
                    PARTNER_PRINCIPALS[0], SUPPORT_REQUEST_CONTRIBUTOR, f"/subscriptions/{one}"
                )
            )
    then = datetime.now(UTC) - timedelta(days=30)
    rows = [
        asdict(
            Designation(
                subscription_id=one,
                partner_id=CONTOSO.id,
                partner_name=CONTOSO.name,
                version=1,
                managed_by="estate/prod/x",
                claim="claim",
                written_partner_id=CONTOSO.id,
                adopted=False,
                effective=True,
                designated_by="someone",
                designated_at=then,
                former_partner_id=None,
            )
        )
        for one in ids
    ]
    with connect(resolve(backend.url)).begin() as connection:
        connection.execute(insert(tables.designations), rows)
    return ids


def test_ten_thousand_subscriptions_are_observed_in_few_requests_and_little_memory(
    backend: AzureBackend, tmp_path: Path
) -> None:
    ids = fill(backend, MANY)
    declaration = tmp_path / "partners.yaml"
    lines = [f"  - {{id: {one}, partner: contoso}}" for one in ids]
    partner = f'partners: {{contoso: {{id: "{CONTOSO.id}", name: {CONTOSO.name}}}}}'
    declaration.write_text("\n".join(["version: 1", partner, "subscriptions:", *lines]))
    with backend.stand_in.world.lock:
        backend.stand_in.world.change_subscription(ids[7], tags={"dpor-partner-id": FABRIKAM.id})
    backend.stand_in.throttle.quota = QueryQuota()
    backend.stand_in.journal.clear()
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, DPOR, "drift", declaration, "--format", "json"],
        env={
            **os.environ,
            **backend.environment(),
            "DPOR_REGISTRY": backend.url,
            "DPOR_PLATFORM": "azure",
        },
        stdout=subprocess.PIPE,
        check=False,
    )
    assert ran.returncode == 1
    answer, _, kibibytes = ran.stdout.decode().rpartition("\n")
    found = json.loads(answer)
    assert found["checked"] == MANY
    assert [one["subscription_id"] for one in found["drifted"]] == [ids[7]]
    assert backend.stand_in.journal.answers.total() <= 60
    assert int(kibibytes) * 1024 <= MEMORY


def test_a_throttled_switch_is_written_once_at_each_subscription(backend: AzureBackend) -> None:
    ids = fill(backend, 100)
    slow = Bucket(40, 10)
    backend.stand_in.throttle.throttling = Throttling(writes=slow, deletes=slow, together=True)
    # A busy machine may be slower than the bucket is.
    refused = Respond(429, "", {"Retry-After": "1"})
    faults = [
        backend.stand_in.faults.add(method, "", refused, calls={5, 50, 51, 95})
        for method in ("PATCH", "PUT", "DELETE")
    ]
    registry = backend.registry()
    platform = open_platform("azure", registry, credit=True)
    run = Lifecycle(registry, platform, today=date(2026, 11, 23), say=lambda line: None)

    def switch(one: str) -> None:
        inputs = {
            "subscription_id": one,
            "partner_id": FABRIKAM.id,
            "managed_by": "estate/prod/x",
        }
        state = {**inputs, "partner_id": CONTOSO.id, "claim": "claim"}
        checked = run.check(state, inputs)
        assert checked.failures == ()
        run.update(state, checked.inputs)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(switch, ids))
    assert all(fault.seen >= 104 for fault in faults)
    written = Counter((write.method, write.path) for write in backend.stand_in.journal.writes)
    assert set(written.values()) == {1}
    assert len(written) == 300
    for one in ids:
        assert backend.stand_in.world.tags(one)["dpor-partner-id"] == FABRIKAM.id
        (credit,) = backend.stand_in.world.assignments_at(f"/subscriptions/{one}")
        assert credit.principal_id == PARTNER_PRINCIPALS[1].id
    assert backend.writes().count("switch") == 100
