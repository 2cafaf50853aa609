"""What the declarations were at another git revision, and what has changed since."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpor_provider.checker.result import Change, ChangeKind
from dpor_provider.declaration import Loaded, load
from dpor_provider.errors import Invalid
from dpor_provider.model import Declared, Directory, Estate, Partner
from dpor_provider.names import same_name
from dpor_provider.rules import approvals, stands_in


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
            shown = _git(Path.cwd(), "rev-parse", "--show-toplevel")
        except _GitError as error:
            missing = "not a git repository" in str(error)
            hint = "run this in a git repository" if missing else "see: git status"
            raise Invalid(f"--base {name!r}: {error}; {hint}") from None
        root = Path(os.fsdecode(shown.removesuffix(b"\n")))
        wanted = ("--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        try:
            commit = _git(root, "rev-parse", *wanted).decode().strip()
        except _GitError:
            commit = ""
        # A name that excludes a commit is one of its own for git.
        if not re.fullmatch("[0-9a-f]+", commit):
            raise Invalid(
                f"--base {name!r}: there is no such revision here; if it is a branch of the remote,"
                " fetch it first (in CI, with the whole history: fetch-depth 0)"
            )
        return cls(name, commit, root)

    def text(self, path: Path) -> str | None:
        """A file's text at that revision; None where it was not there."""
        try:
            content = _git(self.root, "show", f"{self.commit}:{self._inside(path).as_posix()}")
        except _GitError:
            return None
        return content.decode("utf-8", "replace")

    def load(self, paths: Sequence[str], directories: Iterable[str] = ()) -> Loaded:
        """The declarations as they were; paths that were not there declared nothing.

        Args:
            paths: As `dpor_provider.declaration.load` takes them.
            directories: Files of any name that declarations name as their `directory`.
        """
        with tempfile.TemporaryDirectory() as folder:
            inside = [self._inside(Path(path)) for path in paths]
            tree = Path(folder, "tree")
            tree.mkdir()
            try:
                self._check_out([*inside, *self._of_these(directories)], tree)
            except _GitError as error:
                raise Invalid(
                    f"--base {self.name!r}: that revision cannot be read: {error}; see: git fsck"
                ) from None
            then = [tree / path for path in inside]
            try:
                return load(then)
            except Invalid:
                # One of them was not there, or there was no declaration in it then.
                there = [path for path in then if _declares(path)]
                return load(there) if there else Loaded(Estate((), {}, ()), ())

    def _inside(self, path: Path) -> Path:
        """A path as the repository has it."""
        whole = Path.cwd() / path
        found = [Path(os.path.realpath(whole))]
        if os.path.islink(whole):  # noqa: PTH114  Path.is_symlink raises on a name that is too long
            # A link may itself be a file of the repository.
            found.insert(0, Path(os.path.realpath(whole.parent), whole.name))
        for real in found:
            if real.is_relative_to(self.root):
                return real.relative_to(self.root)
        raise Invalid(
            f"--base {self.name!r}: {str(path)!r} is not in the repository {self.root}, which"
            " alone has revisions"
        )

    def _of_these(self, files: Iterable[str]) -> Iterator[Path]:
        """Those of the files that are in the repository."""
        for file in files:
            try:
                yield self._inside(Path(file))
            except Invalid:
                continue

    def _check_out(self, paths: Iterable[Path], tree: Path) -> None:
        """Write what may be a declaration, or is named, as it was."""
        # An index and a working tree of its own: the user's stay as they are, and the attributes
        # that count are those of the revision.
        git_dir = _git(self.root, "rev-parse", "--absolute-git-dir").removesuffix(b"\n")
        environment = {
            "GIT_DIR": os.fsdecode(git_dir),
            "GIT_WORK_TREE": str(tree),
            "GIT_INDEX_FILE": str(tree.with_name("index")),
        }
        _git(tree, "read-tree", self.commit, environment=environment)
        listed = _git(tree, "ls-files", "-z", environment=environment).split(b"\0")
        named = {path.as_posix() for path in paths}
        patterns = [re.compile(fnmatch.translate(name.replace("**/", "*"))) for name in named]
        wanted = [
            name
            for name in map(os.fsdecode, filter(None, listed))
            if name.endswith((".yaml", ".yml"))
            or name in named
            or any(pattern.match(name) for pattern in patterns)
        ]
        _git(
            tree,
            *("checkout-index", "--force", "-z", "--stdin"),
            environment=environment,
            given=b"".join(os.fsencode(name) + b"\0" for name in wanted),
        )


def _declares(path: Path) -> bool:
    try:
        load([path])
    except Invalid:
        return False
    return True


def changes(before: Loaded, after: Loaded) -> Iterator[Change]:
    """What the second declarations do to the subscriptions of the first, and to their own.

    What could not be read on one side is not known to be absent there.
    """
    directory = _directory(before.estate, after.estate)
    old, new = _designated(before.estate), _designated(after.estate)
    were, are = _declared(before.estate), _declared(after.estate)
    for subscription_id in sorted(old.keys() | new.keys()):
        one, other = old.get(subscription_id), new.get(subscription_id)
        if one and other and _same(one, other, directory):
            continue
        if (before.findings and subscription_id not in were) or (
            after.findings and subscription_id not in are
        ):
            continue
        if one is None:
            kind = ChangeKind.DESIGNATED
        else:
            kind = ChangeKind.SWITCHED if other else ChangeKind.WITHDRAWN
        yield Change(kind, subscription_id, one, other)
    known = approvals(before.estate)
    for declared in after.estate.subscriptions:
        for exception in declared.exceptions:
            if not stands_in(known, declared.subscription_id, exception):
                yield Change(
                    ChangeKind.EXCEPTION_REQUESTED,
                    declared.subscription_id,
                    detail=f"{exception.rule} until {exception.expires}: {exception.reason}",
                )


def _directory(before: Estate, after: Estate) -> Directory:
    """Who is who: a partner that was renumbered since is the same one."""
    now = {partner.id for partner in after.partners.values()}
    former = {old for partner in after.partners.values() for old in partner.former_ids} - now
    every = (*before.partners.values(), *after.partners.values())
    return Directory.of(partner for partner in every if partner.id not in former)


def _same(one: Partner, other: Partner, directory: Directory) -> bool:
    """Whether two partners are one company; a former ID that another name claims makes it none."""
    return one.id == other.id or (
        directory.same(one.id, other.id) and same_name(one.name, other.name)
    )


def _declared(estate: Estate) -> frozenset[str]:
    return frozenset(declared.subscription_id for declared in estate.subscriptions)


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


_ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Set in a hook; the repository is the one that the working folder is in."""


def _git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: bytes | None = None,
) -> bytes:
    inherited = {key: value for key, value in os.environ.items() if key not in _ELSEWHERE}
    try:
        done = subprocess.run(  # noqa: S603  the arguments are a list, and no shell reads them
            # The user's hooks have nothing to do with an index that is not theirs.
            ["git", "-c", f"core.hooksPath={os.devnull}", *arguments],  # noqa: S607  the user's git
            cwd=folder,
            env={**inherited, "LC_ALL": "C", **(environment or {})},
            input=given,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Invalid(f"git cannot be run: {error.strerror}; install it") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        raise _GitError(said.removeprefix("fatal: ") or f"git {arguments[0]} failed")
    return done.stdout
