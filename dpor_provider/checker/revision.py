"""What the declarations were at another git revision, and what has changed since."""

from __future__ import annotations

import glob
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpor_provider.checker.result import Change, ChangeKind
from dpor_provider.declaration import Loaded, load
from dpor_provider.errors import Invalid
from dpor_provider.model import Declared, Directory, Estate, Partner
from dpor_provider.rules import approvals


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository that the working folder is in."""

    name: str
    """As the user wrote it."""
    commit: str
    root: Path

    @classmethod
    def find(cls, name: str) -> Revision:
        """The commit that a name means.

        Raises:
            Invalid: git is not there, this is no repository, or the name means no commit.
        """
        try:
            root = Path(_git(Path.cwd(), "rev-parse", "--show-toplevel").rstrip("\n"))
        except _GitError as error:
            raise Invalid(f"--base {name}: {error}; run this in a git repository") from None
        try:
            wanted = ("--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            commit = _git(root, "rev-parse", *wanted).strip()
        except _GitError:
            raise Invalid(
                f"--base {name}: there is no such revision here; if it is a branch of the remote,"
                " fetch it first (in CI, with the whole history: fetch-depth 0)"
            ) from None
        return cls(name, commit, root)

    def text(self, path: Path) -> str | None:
        """A file's text at that revision; None where it was not there."""
        try:
            return _git(self.root, "show", f"{self.commit}:{self._inside(path).as_posix()}")
        except _GitError:
            return None

    def load(self, paths: Sequence[str]) -> Loaded:
        """The declarations as they were; paths that were not there declared nothing."""
        with tempfile.TemporaryDirectory() as folder:
            self._check_out(paths, Path(folder))
            then = [Path(folder, self._inside(Path(path))) for path in paths]
            there = [path for path in then if os.path.lexists(path) or glob.has_magic(str(path))]
            try:
                return load(there) if there else Loaded(Estate((), {}, ()), ())
            except Invalid:
                # A folder or a pattern in which there was no declaration then.
                return Loaded(Estate((), {}, ()), ())

    def _inside(self, path: Path) -> Path:
        """A path as the repository has it."""
        try:
            return Path(os.path.normpath(Path.cwd() / path)).relative_to(self.root)
        except ValueError:
            raise Invalid(
                f"--base {self.name}: {path} is not in the repository {self.root}, which alone has"
                " revisions"
            ) from None

    def _check_out(self, paths: Sequence[str], folder: Path) -> None:
        # An index of its own leaves the user's index and working tree as they are.
        environment = {"GIT_INDEX_FILE": str(folder / ".index")}
        _git(self.root, "read-tree", self.commit, environment=environment)
        named = [f":(literal){self._inside(Path(path)).as_posix()}" for path in paths]
        wanted = _git(
            self.root, "ls-files", "-z", "--", "*.yaml", "*.yml", *named, environment=environment
        )
        _git(
            self.root,
            *("checkout-index", "--quiet", "--force", f"--prefix={folder}/", "-z", "--stdin"),
            environment=environment,
            given=wanted,
        )


def changes(before: Estate, after: Estate) -> Iterator[Change]:
    """What the second estate does to the subscriptions of the first, and to its own."""
    directory = Directory.of((*before.partners.values(), *after.partners.values()))
    old, new = _designated(before), _designated(after)
    for subscription_id in sorted(old.keys() | new.keys()):
        one, other = old.get(subscription_id), new.get(subscription_id)
        if directory.same(one.id if one else None, other.id if other else None):
            continue
        if one is None:
            kind = ChangeKind.DESIGNATED
        else:
            kind = ChangeKind.SWITCHED if other else ChangeKind.WITHDRAWN
        yield Change(kind, subscription_id, one, other)
    known = approvals(before)
    for declared in after.subscriptions:
        for exception in declared.exceptions:
            until = known.get((declared.subscription_id, exception.rule))
            if until is None or exception.expires > until:
                yield Change(
                    ChangeKind.EXCEPTION_REQUESTED,
                    declared.subscription_id,
                    detail=f"{exception.rule} until {exception.expires}: {exception.reason}",
                )


def _designated(estate: Estate) -> dict[str, Partner]:
    return {
        declared.subscription_id: _partner(declared)
        for declared in estate.subscriptions
        if declared.partner_id is not None
    }


def _partner(declared: Declared) -> Partner:
    return Partner(declared.partner_id or "", declared.partner_name or "")


class _GitError(Exception):
    pass


def _git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
) -> str:
    try:
        done = subprocess.run(  # noqa: S603  the arguments are a list, and no shell reads them
            ["git", *arguments],  # noqa: S607  the user's own git
            cwd=folder,
            env={**os.environ, **(environment or {})},
            input=given,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
        )
    except OSError as error:
        raise Invalid(f"git cannot be run: {error.strerror}; install it") from None
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0].removeprefix("fatal: ")
        raise _GitError(said or f"git {arguments[0]} failed")
    return done.stdout
