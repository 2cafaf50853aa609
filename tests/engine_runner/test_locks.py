"""Locks, as the engine names them."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from dpor_provider.engine.locks import Lock, named

ERROR = """\
error: the stack is currently locked by 2 lock(s). Either wait for the other process(es) to end or \
delete the lock file with `pulumi cancel`.
  {one}: created by jo doe@build (pid 4711) at 2026-11-23T09:00:00Z
  {two}: created by root@{host} (pid {pid}) at {now}
"""


def locks(tmp_path: Path, pid: int, now: datetime, host: str) -> list[Lock]:
    file = tmp_path / "with blank.json"
    return list(
        named(
            ERROR.format(
                one="s3://bucket/.pulumi/locks/organization/estate/dev/1.json",
                two=file.as_uri(),
                host=host,
                pid=pid,
                now=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            )
        )
    )


def test_both_locks_are_named_and_only_a_dead_process_of_this_host_has_left_its_own(
    tmp_path: Path,
) -> None:
    host, now = socket.gethostname(), datetime.now(UTC)
    gone = next(pid for pid in range(2**22, 2, -1) if not psutil.pid_exists(pid))
    remote, dead = locks(tmp_path, gone, now, host)
    assert (remote.user, remote.host, remote.pid, remote.file) == ("jo doe", "build", 4711, None)
    assert str(remote).startswith("jo doe@build, process 4711, for ")
    assert not remote.left_behind
    assert dead.left_behind
    assert dead.file == tmp_path / "with blank.json"
    assert not locks(tmp_path, gone, now, f"not-{host}")[1].left_behind


def test_a_lock_of_a_process_that_runs_is_not_left_behind(tmp_path: Path) -> None:
    host, now = socket.gethostname(), datetime.now(UTC)
    assert not locks(tmp_path, os.getpid(), now, host)[1].left_behind
    # The same id, of a process that began after the lock was made.
    began = datetime.fromtimestamp(psutil.Process().create_time(), UTC)
    assert locks(tmp_path, os.getpid(), began - timedelta(minutes=1), host)[1].left_behind


def test_lifting_takes_one_file_away(tmp_path: Path) -> None:
    lock = locks(tmp_path, 1, datetime.now(UTC), "here")[1]
    assert lock.file
    lock.file.touch()
    other = tmp_path / "other.json"
    other.touch()
    lock.lift()
    lock.lift()
    assert list(tmp_path.iterdir()) == [other]
