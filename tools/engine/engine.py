"""Make a Pulumi engine available and print the folder to put on PATH.

``python3 tools/engine/engine.py`` prints one line on standard output, the folder that holds
``pulumi``, ``pulumi-language-python``, ``pulumi-language-python-exec`` and
``pulumi-resource-pulumi-python``. Progress and errors go to standard error. The first of these
that works is taken:

1. A Pulumi on PATH: a folder that holds all four, with a ``pulumi`` of 3.259.0 or newer. That is
   the one version the project is run with. Two things that it relies on are known to be missing
   in older ones, though not since which version exactly they are there: the state saved once at
   the end without PULUMI_EXPERIMENTAL, and ``read`` answering inputs for dynamic providers (which
   needs SDK 3.216 as well). Newer versions are taken on trust.
2. The engine in the user's cache folder, built from Go modules where it is not there yet: the
   Pulumi CLI and the Python language host beside this file. About five minutes on two cores.
3. Without Go 1.25.11 or newer, and with no older one whose GOTOOLCHAIN setting lets it fetch a
   newer, what the official installer downloads, by way of ``PulumiCommand.install`` of the
   ``pulumi`` package.

The cache is ``${XDG_CACHE_HOME:-~/.cache}/dpor``. An engine's folder in it is named after the CLI's
version, the platform and the content of ``tools/engine``. It appears under that name when it is
complete and not before, and a lock lets only one caller build: others wait for the result. Go's
modules are kept there too, and nothing is written to Go's usual folder for them. An engine takes
130 MB, and those of earlier versions stay until their folders are removed. The modules take 1.4 GB
and Go's build cache 1.6 GB: they only make the next build a matter of half a minute, and
``rm -rf ~/.cache/dpor/go`` and ``go clean -cache`` remove them.

The script runs on Linux and macOS.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import platform
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TextIO

CLI_VERSION = "3.259.0"
MINIMUM_CLI = (3, 259, 0)
MINIMUM_GO = (1, 25, 11)
TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "pulumi-language-python-exec",
    "pulumi-resource-pulumi-python",
)
SOURCE = Path(__file__).resolve().parent

_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_CLI_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_HOST_PACKAGE = "./pulumi-language-python"
_SCRIPTS = (
    "python/cmd/pulumi-language-python-exec",
    "python/dist/pulumi-resource-pulumi-python",
)
_GO_TAGS = "osusergo grpcnotrace"
_GO_LDFLAGS = f"-s -w -X {_SDK_MODULE}/go/common/version.Version=v{CLI_VERSION}"
_BIN = "bin"
_PARTIAL = ".partial-"

Say = Callable[[str], None]
"""Shows one line of progress."""

Build = Callable[[Path, Say], None]
"""Puts the four tools into an existing, empty folder."""


class EngineError(Exception):
    """No engine could be made available. The message is for the user."""


def folder_on_path(path: str, cache: Path, say: Say) -> Path | None:
    """Find a complete and new enough Pulumi.

    Args:
        path: The value of PATH.
        cache: The cache of engines. What was built into it earlier is not looked at.
        say: Is told about a Pulumi that is found and not taken.

    Returns:
        The folder, or None.
    """
    for entry in dict.fromkeys(path.split(os.pathsep)):
        folder = Path(entry).absolute() if entry else None
        if folder is None or not _is_tool(folder / "pulumi") or folder.is_relative_to(cache):
            continue
        missing = [tool for tool in TOOLS if not _is_tool(folder / tool)]
        if missing:
            say(f"not taking the Pulumi in {folder}: {', '.join(missing)} not beside it")
            continue
        version = _pulumi_version(folder / "pulumi")
        if version is None:
            say(f"not taking the Pulumi in {folder}: 'pulumi version' names no version")
        elif version < (*MINIMUM_CLI, 1):
            found, wanted = _dotted(version[:3]), _dotted(MINIMUM_CLI)
            say(f"not taking the Pulumi in {folder}: it is {found}, and {wanted} is needed")
        else:
            return folder
    return None


def key(source: Path, version: str = CLI_VERSION) -> str:
    """Name the engine that a folder of sources makes on this machine.

    Args:
        source: The folder ``tools/engine``.
        version: The version of the Pulumi CLI.
    """
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        relative = file.relative_to(source)
        hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
        if hidden or not file.is_file():
            continue
        content = file.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    system = f"{platform.system()}-{platform.machine()}".lower()
    return f"{version}-{system}-{digest.hexdigest()[:16]}"


def cached(cache: Path, name: str, build: Build, say: Say) -> Path:
    """Return an engine of the cache, which is built first where it is not there.

    The engine is built in a folder of its own that is renamed when it is complete, so an
    interrupted build leaves no engine. The lock lasts as long as its holder lives: what is
    unfinished when the lock is free belongs to nobody and is removed.

    Args:
        cache: The folder of all engines.
        name: The engine's name, from :func:`key`.
        build: Builds it.
        say: Shows progress.

    Returns:
        The folder to put on PATH.
    """
    engine = cache / name
    if _is_complete(engine / _BIN):
        return engine / _BIN
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock", say):
        for leftover in cache.glob(f"*{_PARTIAL}*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if _is_complete(engine / _BIN):
            return engine / _BIN
        partial = Path(tempfile.mkdtemp(prefix=f"{name}{_PARTIAL}", dir=cache))
        try:
            (partial / _BIN).mkdir()
            build(partial / _BIN, say)
            missing = [tool for tool in TOOLS if not _is_tool(partial / _BIN / tool)]
            if missing:
                raise EngineError(f"the build made no {', '.join(missing)}")
            partial.chmod(0o755)
            if engine.exists():
                say(f"{engine} was incomplete and is replaced")
                engine.rename(partial / "replaced")
            partial.rename(engine)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(engine / "replaced", ignore_errors=True)
    return engine / _BIN


@dataclass(frozen=True)
class GoBuild:
    """Builds the CLI and the language host from Go modules.

    Attributes:
        go: The Go command.
        modules: The folder for Go's modules.
    """

    go: str
    modules: Path

    def __call__(self, target: Path, say: Say) -> None:
        """Put the four tools into a folder."""
        say(f"building Pulumi {CLI_VERSION}: about 5 minutes on two cores, once")
        flags = ["-trimpath", "-tags", _GO_TAGS, "-ldflags", _GO_LDFLAGS]
        self._run(
            ["build", "-v", *flags, "-o", f"{target}{os.sep}", _CLI_PACKAGE, _HOST_PACKAGE], say
        )
        sdk = Path(self._run(["list", "-m", "-f", "{{.Dir}}", _SDK_MODULE], None)[-1])
        for script in _SCRIPTS:
            copy = target / Path(script).name
            shutil.copyfile(sdk / script, copy)
            copy.chmod(0o755)

    def environment(self) -> dict[str, str]:
        """Return the environment for Go: the user's, less what would change the result."""
        result = {k: v for k, v in os.environ.items() if k not in {"GOOS", "GOARCH", "GOBIN"}}
        return result | {
            "GO111MODULE": "on",
            "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
            "GOMODCACHE": str(self.modules / "mod"),
            "GOPATH": str(self.modules),
            "GOWORK": "off",
        }

    def _run(self, arguments: Sequence[str], say: Say | None) -> list[str]:
        """Run Go to its end and return the last lines that are neither progress nor empty."""
        process = subprocess.Popen(
            [self.go, *arguments],
            cwd=SOURCE,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            lines = _follow(process, Progress() if say else None)
            status = process.wait()
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        if status != 0:
            told = "\n".join(f"  {line}" for line in lines)
            raise EngineError(f"'go {arguments[0]}' failed with exit status {status}:\n{told}")
        return lines


@dataclass(frozen=True)
class Installer:
    """Takes the CLI from the official installer.

    Attributes:
        reason: Why it is not built.
    """

    reason: str

    def __call__(self, target: Path, say: Say) -> None:
        """Put the four tools into a folder."""
        say(f"{self.reason}: downloading Pulumi {CLI_VERSION} with the official installer")
        try:
            from pulumi.automation import PulumiCommand
            from semver import VersionInfo
        except ImportError as error:
            self._refuse(f"the Python package 'pulumi' is not installed ({error})")
        try:
            PulumiCommand.install(root=str(target.parent), version=VersionInfo.parse(CLI_VERSION))
        except Exception as error:
            output = getattr(error, "output", None) or b""
            told = output.decode(errors="replace").strip().splitlines()
            self._refuse(told[-1] if told else f"{type(error).__name__}: {error}")

    def _refuse(self, problem: str) -> NoReturn:
        raise EngineError(
            f"no Pulumi engine: {self.reason}, and the official installer failed ({problem}). "
            f"Install Pulumi {_dotted(MINIMUM_CLI)} or newer, or Go {_dotted(MINIMUM_GO)} or "
            "newer, put it on PATH and run this again."
        )


def choose_build(modules: Path, path: str) -> Build:
    """Choose between building with Go and the installer.

    An old Go may fetch a newer one for this, if the user's GOTOOLCHAIN lets it.

    Args:
        modules: The folder for Go's modules.
        path: The value of PATH, on which Go is looked for.
    """
    go = shutil.which("go", path=path)
    if go is None:
        return Installer("there is no Go on PATH")
    build, ask = GoBuild(go, modules), [go, "version"]
    version = _version_in(_output(ask, build.environment(), SOURCE)) or _version_in(
        _output(ask, {"GOTOOLCHAIN": "local"})
    )
    if version is None:
        return Installer(f"{go} does not tell its version")
    if version < (*MINIMUM_GO, 1):
        found, wanted = _dotted(version[:3]), _dotted(MINIMUM_GO)
        return Installer(f"Go {found} is too old, {wanted} is needed")
    return build


@dataclass
class Progress:
    """Shows how far a build is: one changing line on a terminal, else a line now and then.

    Attributes:
        stream: Where to.
        interval: The seconds between two lines where the stream is no terminal.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    interval: float = 15.0
    _start: float = field(default_factory=time.monotonic)
    _last: float = field(default_factory=time.monotonic)
    _downloaded: int = 0
    _compiled: int = 0

    def took(self, line: str) -> bool:
        """Count a line of Go's output and say whether it was one of progress."""
        if line.startswith("go: downloading "):
            self._downloaded += 1
        elif re.fullmatch(r"[\w.~/+-]+", line):
            self._compiled += 1
        else:
            return False
        return True

    def show(self) -> None:
        """Show the state, where it is time to."""
        now = time.monotonic()
        if self.stream.isatty():
            self._write("\r\033[K", "")
        elif now - self._last >= self.interval:
            self._last = now
            self._write("", "\n")

    def finish(self) -> None:
        """Show the last state."""
        self._write("\r\033[K" if self.stream.isatty() else "", "\n")

    def _write(self, before: str, after: str) -> None:
        elapsed = int(time.monotonic() - self._start)
        text = (
            f"engine: {elapsed // 60}:{elapsed % 60:02} {self._downloaded} modules downloaded, "
            f"{self._compiled} packages compiled"
        )
        self.stream.write(f"{before}{text}{after}")
        self.stream.flush()


def engine(own: bool, environ: Mapping[str, str], say: Say) -> Path:
    """Return the folder to put on PATH.

    Args:
        own: Whether to pass over a Pulumi on PATH.
        environ: The environment variables.
        say: Shows progress.
    """
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(base).absolute() / "dpor"
    cache, path = root / "engine", environ.get("PATH", "")

    def build(target: Path, say: Say) -> None:
        choose_build(root / "go", path)(target, say)

    found = None if own else folder_on_path(path, cache, say)
    return found or cached(cache, key(SOURCE), build, say)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script.

    Args:
        arguments: The command line's arguments.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        description="Make a Pulumi engine available and print the folder to put on PATH."
    )
    parser.add_argument("--own", action="store_true", help="pass over a Pulumi on PATH")
    own = parser.parse_args(arguments).own
    signal.signal(signal.SIGTERM, _terminated)
    try:
        print(engine(own, os.environ, _say))
    except EngineError as error:
        _say(str(error))
        return 1
    except OSError as error:
        _say(f"no Pulumi engine: {error}")
        return 1
    except KeyboardInterrupt:
        _say("interrupted: nothing was left behind")
        return 130
    return 0


def _terminated(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(line: str) -> None:
    print(f"engine: {line}", file=sys.stderr, flush=True)


def _is_tool(file: Path) -> bool:
    return file.is_file() and os.access(file, os.X_OK)


def _is_complete(folder: Path) -> bool:
    return all(_is_tool(folder / tool) for tool in TOOLS)


def _pulumi_version(pulumi: Path) -> tuple[int, int, int, int] | None:
    return _version_in(_output([str(pulumi), "version"], {"PULUMI_SKIP_UPDATE_CHECK": "true"}))


def _output(command: Sequence[str], extra: Mapping[str, str], folder: Path = Path("/")) -> str:
    """Return what a command prints, or nothing if it fails."""
    try:
        done = subprocess.run(
            command,
            env=os.environ | extra,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout


def _version_in(text: str) -> tuple[int, int, int, int] | None:
    """Read the first version in a text. The last number is 0 for a pre-release, else 1."""
    found = re.search(r"(?:\b|v|go)(\d+)\.(\d+)(?:\.(\d+))?(-?[a-z]\w*)?", text)
    if not found:
        return None
    major, minor, patch = (int(number or 0) for number in found.group(1, 2, 3))
    return major, minor, patch, 0 if found.group(4) else 1


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


@contextlib.contextmanager
def _locked(file: Path, say: Say) -> Iterator[None]:
    with file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is making an engine: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _follow(process: subprocess.Popen[str], progress: Progress | None) -> list[str]:
    """Read a process's output to its end and keep the last lines that are not progress."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in process.stdout or ():
            lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    kept: deque[str] = deque(maxlen=20)
    while True:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=1)
            if line is None:
                break
            if line and not (progress and progress.took(line)):
                kept.append(line)
        if progress:
            progress.show()
    if progress:
        progress.finish()
    return list(kept)


if __name__ == "__main__":
    sys.exit(main())
