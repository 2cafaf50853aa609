"""Disks that are full, clocks that jump back, and file systems of other machines."""

from __future__ import annotations

import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import kill, postgres
from support.backends import CONTOSO, FABRIKAM, Backend, ServerBackend, postgresql_portal
from support.thorough import THOROUGH

from dpor_provider.errors import Invalid, Unavailable
from dpor_provider.registry import audit, designations, init_registry, open_registry, sqlite

ONE = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a01"
OTHER = "0f7a1c52-6a0e-4c1e-9a55-1d8f6b3f2a02"

pytestmark = pytest.mark.survives("faults of disks and clocks")

FULL = """
import resource, signal, sys, uuid
from dpor_provider.errors import Unavailable
from dpor_provider.registry import open_registry
url, kept, partner = sys.argv[1:]
registry = open_registry(url)
# No file may grow much: what a full disk is to a process. A signal would end it otherwise.
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(kept), int(kept)))
written = 0
while True:
    try:
        registry.designations.designate(str(uuid.uuid4()), partner, seen_version=0, owner=None)
    except Unavailable as error:
        print(written, error)
        break
    written += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
def test_a_full_disk_is_one_line_and_nothing_is_half_written(home: Backend) -> None:
    before = len(home.registry().audit.entries())
    size = Path(home.url.removeprefix("sqlite:///")).stat().st_size
    done = kill.run(["-c", FULL, home.url, str(size + 8192), CONTOSO.id], None)
    assert done.returncode == 0, done.stderr
    written, said = done.stdout.strip().split(" ", 1)
    assert "full" in said or "disk I/O error" in said
    assert said.isprintable()
    assert len(home.registry().audit.entries()) == before + int(written)
    assert len(home.registry().designations.all()) == int(written)
    assert home.registry().verify().problems == ()
    home.registry().designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)


IN_1999 = """
import datetime, sys

class In1999(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(1999, 1, 1, tzinfo=tz)

datetime.datetime = In1999
from dpor_provider.registry import audit, open_registry
url, one, partner = sys.argv[1:]
open_registry(url).designations.designate(one, partner, seen_version=0, owner=None)
print(audit.datetime.now().year)
"""

LIMITED = """
import resource, signal, sys
from dpor_provider.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
del sys.argv[1]
main()
"""
PAGE = 4096


@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of a process")
@pytest.mark.parametrize("command", ["init", "backup"])
def test_a_disk_that_is_full_in_the_making_is_one_line_and_nothing_is_left(
    home: Backend, tmp_path: Path, command: str
) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    made = folder / "made.db"
    arguments = {
        "init": ["--registry", f"sqlite:///{made}", "registry", "init"],
        "backup": ["--registry", home.url, "registry", "backup", str(made)],
    }[command]
    whole = Path(home.url.removeprefix("sqlite:///")).stat().st_size
    before = home.registry().audit.head()
    for kept in range(0, whole, PAGE) if THOROUGH else (0, PAGE, whole // 2, whole - PAGE):
        done = kill.run(["-c", LIMITED, str(kept), *arguments], None)
        assert done.returncode not in (0, -signal.SIGXFSZ)
        (said,) = done.stderr.splitlines()
        assert f"cannot make a registry at {made}: " in said
        assert "make room there and run it again" in said
        assert list(folder.iterdir()) == []
    assert home.registry().audit.head() == before
    assert kill.run(["-c", LIMITED, str(2 * whole), *arguments], None).returncode == 0
    assert Backend(f"sqlite:///{made}", "portal").registry().verify().problems == ()


def test_a_clock_that_jumps_back_puts_nothing_out_of_order(
    home: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Yesterday(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            del tz
            return datetime.now(UTC) - timedelta(days=1)

    registry = home.registry()
    row = registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    for module in (audit, designations):
        monkeypatch.setattr(module, "datetime", Yesterday)
    registry.designations.designate(ONE, FABRIKAM.id, seen_version=row.version, owner=None)
    first, second = registry.audit.entries(ONE)
    assert second.at < first.at
    assert (first.partner_id, second.partner_id) == (CONTOSO.id, FABRIKAM.id)
    assert registry.verify().problems == ()


def test_a_servers_clock_that_jumps_back_puts_nothing_out_of_order(tmp_path: Path) -> None:
    backend = postgresql_portal(tmp_path)
    assert isinstance(backend, ServerBackend)
    registry = backend.registry()
    row = registry.designations.designate(ONE, CONTOSO.id, seen_version=0, owner=None)
    with postgres.server().connect(postgres.OWNER, backend.database) as owner:
        query = (
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'dpor'::regnamespace"
            " AND prosrc LIKE '%clock_timestamp()%'"
        )
        for (source,) in owner.execute(query).fetchall():
            yesterday = "(clock_timestamp() - interval '1 day')"
            owner.execute(str(source).replace("clock_timestamp()", yesterday).encode())
    row = registry.designations.designate(ONE, FABRIKAM.id, seen_version=row.version, owner=None)
    registry.designations.withdraw(ONE, seen_version=row.version)
    first, second, third = registry.audit.entries(ONE)
    assert first.at - second.at > timedelta(hours=23)
    assert [one.partner_id for one in (first, second, third)] == [CONTOSO.id, FABRIKAM.id, None]
    assert registry.verify().problems == ()


def test_on_a_server_a_clients_clock_counts_for_nothing(tmp_path: Path) -> None:
    backend = postgresql_portal(tmp_path)
    before = datetime.now(UTC)
    done = kill.run(["-c", IN_1999, backend.url, ONE, CONTOSO.id], None)
    assert done.stdout.strip() == "1999", done.stderr
    (entry,) = backend.registry().audit.entries(ONE)
    live = backend.registry().designations.all()[ONE]
    # The server is on this machine, and its clock is the same.
    assert before <= live.designated_at == entry.at <= datetime.now(UTC)


@pytest.mark.parametrize("kind", sorted(sqlite.NETWORK))
def test_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    mounts = tmp_path / "mounts"
    shared = tmp_path / "team share"
    mounts.write_text(
        "/dev/vda / ext4 rw 0 0\n"
        f"server:/x {str(shared).replace(' ', chr(92) + '040')} {kind} rw 0 0\n"
    )
    monkeypatch.setattr(sqlite, "MOUNTS", mounts)
    with pytest.raises(Invalid, match=f"is on a network file system \\({kind}\\)"):
        init_registry(f"sqlite:///{shared / 'a' / 'registry.db'}")
    assert not shared.exists()
    shared.mkdir()
    made = init_registry(f"sqlite:///{tmp_path / 'registry.db'}")
    made.backup(tmp_path / "copy.db")
    moved = (tmp_path / "copy.db").rename(shared / "registry.db")
    there = open_registry(f"sqlite:///{moved}")
    assert there.identity() == made.identity()
    with pytest.raises(Unavailable, match=f"is on a network file system \\({kind}\\)"):
        there.partners.add(CONTOSO)
    assert there.audit.head() == made.audit.head()
