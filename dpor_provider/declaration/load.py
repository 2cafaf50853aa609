"""From paths to an estate: which files are read, and in which of them partners are looked up."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dpor_provider.declaration.build import build
from dpor_provider.declaration.reader import MAX_BYTES, Document, read, unreadable
from dpor_provider.declaration.structure import Checked, check
from dpor_provider.declaration.wording import quote
from dpor_provider.errors import Invalid
from dpor_provider.model import Estate, Finding


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the declarations say, and what is wrong with them."""

    estate: Estate
    """Without the subscriptions that have a problem, or whose partner has one."""
    findings: tuple[Finding, ...]
    """Every problem of every file, as findings of DPOR001 in the order of the files' lines."""


def load(paths: Sequence[str | os.PathLike[str]]) -> Loaded:
    """Read declarations; together they are one estate.

    A path is a file of any name; or a folder, of which the files `partners.yaml`, `partners.yml`,
    `*.partners.yaml` and `*.partners.yml` are read at any depth, but for hidden folders; or a glob
    pattern (`**` for any depth). A file that is reached twice is read once.

    `directory:` names another declaration, relative to the file that names it, of which the
    partners count and the subscriptions do not (unless it is among the paths itself). It may not
    name a directory of its own. The partners of all files are one directory, so that one file may
    name a partner of another; `defaults` are their own file's.

    Args:
        paths: Files, folders and glob patterns.

    Returns:
        The estate and the findings. Whatever is wrong inside a file is a finding, and the other
        files are still read.

    Raises:
        Invalid: There is no path, a path does not exist, or there is no declaration in it.
    """
    if not paths:
        raise Invalid("no declaration is given; name a file, such as partners.yaml, or a folder")
    lost: list[Document] = []
    files: dict[str, Path] = {}
    for path in paths:
        for file in _files(Path(path), lost):
            files.setdefault(_real(file), file)
    loaded = {real: check(_read(file)) for real, file in files.items()}
    declarations = list(loaded.values())
    findings = _directories(declarations, loaded)
    named = [checked for real, checked in loaded.items() if real not in files]
    complete = not lost and not findings
    estate, problems = build(declarations, named, complete)
    findings += problems
    for document in (*lost, *(checked.document for checked in loaded.values())):
        findings += document.findings
    return Loaded(estate, tuple(sorted(findings, key=_place)))


def _files(path: Path, lost: list[Document]) -> Iterator[Path]:
    if _is_folder(path):
        found = list(_in_folder(path, lost))
        if not found and not lost:
            raise Invalid(
                f"{path}: no declaration in this folder; name one partners.yaml or "
                "*.partners.yaml, or give the file's own path"
            )
        yield from found
    elif os.path.lexists(path):
        yield path
    elif glob.has_magic(str(path)):
        matches = [
            Path(match)
            for match in sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  Path.glob knows no absolute patterns
            if os.path.lexists(match)  # of `nope/**` it gives `nope/`, which may not be there
        ]
        found = [match for match in matches if not _is_folder(match)]
        for folder in matches:
            found += _in_folder(folder, lost) if _is_folder(folder) else ()
        if not found and not lost:
            raise Invalid(f"{path}: no declaration matches this pattern; check how it is written")
        yield from found
    else:
        raise Invalid(f"{path}: no such file or folder; check the path")


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112  Path.is_dir raises on a name that is too long


def _in_folder(folder: Path, lost: list[Document]) -> Iterator[Path]:
    def report(error: OSError) -> None:
        place = str(Path(error.filename or folder))
        lost.append(unreadable(place, f"the folder cannot be read: {_cause(error)}"))

    for place, folders, names in os.walk(folder, onerror=report):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith((".partners.yaml", ".partners.yml")) or name in _NAMES:
                yield Path(place, name)


_NAMES = ("partners.yaml", "partners.yml")


def _read(file: Path) -> Document:
    try:
        with file.open("rb") as stream:
            return read(str(file), stream.read(MAX_BYTES + 1))
    except OSError as error:
        return unreadable(str(file), f"the file cannot be read: {_cause(error)}")


def _cause(error: OSError) -> str:
    return f"{error.strerror or error}; check that it exists and may be read"


def _directories(declarations: Sequence[Checked], loaded: dict[str, Checked]) -> list[Finding]:
    """Load the directories that declarations name; what is wrong with a name is a finding."""
    findings = []
    for checked in declarations:
        document, root = checked.document, checked.document.root
        name = root.get("directory") if root is not None else None
        if root is None or not isinstance(name, str) or not name.strip():
            continue
        problem = _load_directory(_beside(document.file, name), document.file, loaded)
        if problem:
            message = f"the directory {quote(name)} {problem}"
            findings.append(document.finding(message, root.spans["directory"]))
    return findings


def _beside(file: str, name: str) -> Path:
    """The path of a file that another one names, as short as it can be."""
    path = Path(file).parent / name
    short = Path(os.path.normpath(path))
    return short if _real(short) == _real(path) else path


def _real(path: Path) -> str:
    """What makes two paths the same file; a path that cannot exist is only itself."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return str(path)


def _load_directory(file: Path, naming: str, loaded: dict[str, Checked]) -> str | None:
    """Load a directory unless it is there; what is wrong with its name, or None."""
    if not os.path.isfile(file):  # noqa: PTH113  see _is_folder
        state = "is a folder" if _is_folder(file) else "is no file"
        return f"{state}; name a declaration, relative to this file"
    real = _real(file)
    if real == _real(Path(naming)):
        return "is this file itself; its partners are known without that"
    if real not in loaded:
        loaded[real] = check(_read(file))
    root = loaded[real].document.root
    if root is not None and "directory" in root:
        return "names a further directory; name that one instead, or move its partners"
    return None


def _place(finding: Finding) -> tuple[object, ...]:
    return (finding.where, finding.message)
