"""The script that makes an engine available."""

import fcntl
import importlib.util
import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "engine" / "engine.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dpor_engine_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


script: Any = load()


class Said(list[str]):
    """What the script has said."""

    def __call__(self, line: str) -> None:
        self.append(line)

    def about(self, text: str) -> bool:
        return any(text in line for line in self)


def tool(file: Path, prints: str = "", mode: int = 0o755) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{prints}'\n")
    file.chmod(mode)


def pulumi(folder: Path, version: str = "v3.259.0", without: str = "") -> Path:
    for name in script.TOOLS:
        if name != without:
            tool(folder / name, version)
    return folder


def build(target: Path, say: Any) -> None:
    say("building")
    pulumi(target)


def broken(target: Path, say: Any) -> None:
    tool(target / "pulumi")
    raise script.EngineError("no disk")


def interrupted(target: Path, say: Any) -> None:
    tool(target / "pulumi")
    raise KeyboardInterrupt


def refused(target: Path, say: Any) -> None:
    raise AssertionError("built although there is an engine")


def engines(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.name != "lock")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def said() -> Said:
    return Said()


class TestPulumiOnPath:
    def find(self, said: Said, *folders: Path) -> Path | None:
        path = os.pathsep.join(map(str, folders))
        found: Path | None = script.folder_on_path(path, Path("/nowhere/cache"), said)
        return found

    @pytest.mark.parametrize("version", ["v3.259.0", "3.260.1", "v4.0.0", "v3.300.0-alpha.1"])
    def test_a_complete_and_new_enough_one_is_taken(
        self, tmp_path: Path, said: Said, version: str
    ) -> None:
        folder = pulumi(tmp_path / "bin", version)

        assert self.find(said, tmp_path / "other", folder) == folder
        assert said == []

    @pytest.mark.parametrize("version", ["v3.258.9", "v3.99.0", "v2.300.0", "v3.259.0-alpha.1"])
    def test_an_old_one_is_not(self, tmp_path: Path, said: Said, version: str) -> None:
        folder = pulumi(tmp_path / "bin", version)

        assert self.find(said, folder) is None
        assert said.about("3.259.0 is needed")

    def test_one_that_tells_no_version_is_not(self, tmp_path: Path, said: Said) -> None:
        folder = pulumi(tmp_path / "bin", "hello")

        assert self.find(said, folder) is None
        assert said.about("names no version")

    @pytest.mark.parametrize("missing", script.TOOLS[1:])
    def test_an_incomplete_one_is_not(self, tmp_path: Path, said: Said, missing: str) -> None:
        folder = pulumi(tmp_path / "bin", without=missing)

        assert self.find(said, folder) is None
        assert said.about(f"{missing} not beside it")

    def test_files_that_cannot_be_run_do_not_count(self, tmp_path: Path, said: Said) -> None:
        folder = pulumi(tmp_path / "bin")
        tool(folder / "pulumi-language-python", mode=0o644)

        assert self.find(said, folder) is None

    def test_a_good_one_behind_a_bad_one_is_taken(self, tmp_path: Path, said: Said) -> None:
        bad = pulumi(tmp_path / "bad", "v3.0.0")
        good = pulumi(tmp_path / "good")

        assert self.find(said, bad, good) == good

    def test_what_was_built_earlier_is_not_looked_at(self, tmp_path: Path, said: Said) -> None:
        folder = pulumi(tmp_path / "cache" / "old" / "bin")

        assert script.folder_on_path(str(folder), tmp_path / "cache", said) is None

    def test_no_path_is_no_pulumi(self, said: Said) -> None:
        assert script.folder_on_path("", Path("/nowhere"), said) is None


class TestKey:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        source = tmp_path / "engine"
        (source / "host").mkdir(parents=True)
        (source / "go.mod").write_text("module engine\n")
        (source / "host" / "main.go").write_text("package main\n")
        return source

    def test_it_names_the_version(self, source: Path) -> None:
        assert script.key(source).startswith("3.259.0-")
        assert script.key(source, "4.0.0").startswith("4.0.0-")

    @pytest.mark.parametrize("file", ["go.mod", "host/main.go"])
    def test_it_changes_with_content(self, source: Path, file: str) -> None:
        before = script.key(source)
        (source / file).write_text("changed")

        assert script.key(source) != before

    def test_it_changes_with_a_name_and_with_a_new_file(self, source: Path) -> None:
        before = script.key(source)
        (source / "host" / "main.go").rename(source / "host" / "other.go")
        renamed = script.key(source)
        (source / "host" / "new.go").write_text("")

        assert len({before, renamed, script.key(source)}) == 3

    def test_it_does_not_depend_on_the_place_the_time_or_bytecode(
        self, source: Path, tmp_path: Path
    ) -> None:
        before = script.key(source)
        os.utime(source / "go.mod", (0, 0))
        (source / "__pycache__").mkdir()
        (source / "__pycache__" / "engine.pyc").write_bytes(b"x")
        (source / ".swap").write_text("x")

        assert script.key(source.rename(tmp_path / "moved")) == before


class TestCache:
    def test_a_build_is_kept_and_found_again(self, cache: Path, said: Said) -> None:
        made = script.cached(cache, "key", build, said)
        found = script.cached(cache, "key", refused, said)

        assert made == found == cache / "key" / "bin"
        assert sorted(path.name for path in found.iterdir()) == sorted(script.TOOLS)

    def test_another_key_is_another_engine(self, cache: Path, said: Said) -> None:
        script.cached(cache, "one", build, said)
        script.cached(cache, "two", build, said)

        assert engines(cache) == ["one", "two"]

    @pytest.mark.parametrize(
        ("bad", "error"), [(broken, script.EngineError), (interrupted, KeyboardInterrupt)]
    )
    def test_a_build_that_fails_leaves_nothing(
        self, cache: Path, said: Said, bad: Any, error: type[BaseException]
    ) -> None:
        with pytest.raises(error):
            script.cached(cache, "key", bad, said)

        assert engines(cache) == []
        assert script.cached(cache, "key", build, said).is_dir()

    def test_a_build_without_all_tools_is_no_engine(self, cache: Path, said: Said) -> None:
        def partial(target: Path, _say: Any) -> None:
            pulumi(target, without="pulumi")

        with pytest.raises(script.EngineError, match=r"made no pulumi$"):
            script.cached(cache, "key", partial, said)

        assert engines(cache) == []

    def test_an_engine_that_was_damaged_is_built_again(self, cache: Path, said: Said) -> None:
        folder = script.cached(cache, "key", build, said)
        (folder / "pulumi").unlink()

        assert script.cached(cache, "key", build, said) == folder
        assert (folder / "pulumi").is_file()
        assert engines(cache) == ["key"]
        assert [path.name for path in (cache / "key").iterdir()] == ["bin"]

    def test_a_second_caller_waits_and_takes_the_firsts_engine(self, cache: Path) -> None:
        started, finish = threading.Event(), threading.Event()
        results: list[Path] = []
        first_said, second_said = Said(), Said()

        def slow(target: Path, say: Any) -> None:
            started.set()
            assert finish.wait(60)
            build(target, say)

        first = threading.Thread(
            target=lambda: results.append(script.cached(cache, "key", slow, first_said))
        )
        second = threading.Thread(
            target=lambda: results.append(script.cached(cache, "key", refused, second_said))
        )
        first.start()
        assert started.wait(60)
        second.start()
        while not second_said:
            assert second.is_alive()
            time.sleep(0.01)
        assert results == []
        finish.set()
        first.join(60)
        second.join(60)

        assert results == [cache / "key" / "bin"] * 2
        assert second_said.about("waiting for it")

    def test_a_killed_build_leaves_no_engine_and_is_cleared_away(
        self, cache: Path, said: Said
    ) -> None:
        program = (
            "import importlib.util, pathlib, sys, time\n"
            f"spec = importlib.util.spec_from_file_location('script', {str(SCRIPT)!r})\n"
            "script = importlib.util.module_from_spec(spec)\n"
            "sys.modules['script'] = script\n"
            "spec.loader.exec_module(script)\n"
            "def build(target, say):\n"
            "    (target / 'pulumi').write_text('half')\n"
            "    print('building', flush=True)\n"
            "    time.sleep(120)\n"
            f"script.cached(pathlib.Path({str(cache)!r}), 'key', build, print)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as builder:
            assert builder.stdout is not None
            assert builder.stdout.readline() == "building\n"
            assert engines(cache) != ["key"]
            builder.kill()

        assert len(engines(cache)) == 1
        assert script.cached(cache, "key", build, said) == cache / "key" / "bin"
        assert engines(cache) == ["key"]


class TestChoice:
    def choose(self, path: Path) -> Any:
        return script.choose_build(Path("/modules"), str(path))

    @pytest.mark.parametrize("version", ["go1.25.11", "go1.26", "go1.27.3"])
    def test_a_new_enough_go_builds(self, tmp_path: Path, version: str) -> None:
        tool(tmp_path / "go", f"go version {version} linux/amd64")

        assert self.choose(tmp_path) == script.GoBuild(str(tmp_path / "go"), Path("/modules"))

    def test_an_old_go_does_not(self, tmp_path: Path) -> None:
        tool(tmp_path / "go", "go version go1.24.9 linux/amd64")

        assert self.choose(tmp_path) == script.Installer("Go 1.24.9 is too old, 1.25.11 is needed")

    def test_an_old_go_that_fetches_a_newer_one_builds(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "go").write_text(
            '#!/bin/sh\n[ "$GOTOOLCHAIN" = local ] && echo go version go1.22.1 && exit\n'
            "[ -f go.mod ] && echo go version go1.25.11\n"
        )
        (tmp_path / "go").chmod(0o755)

        monkeypatch.setenv("GOTOOLCHAIN", "auto")
        assert isinstance(self.choose(tmp_path), script.GoBuild)

        monkeypatch.setenv("GOTOOLCHAIN", "local")
        assert self.choose(tmp_path) == script.Installer("Go 1.22.1 is too old, 1.25.11 is needed")

    def test_without_go_the_installer_is_used(self, tmp_path: Path) -> None:
        assert self.choose(tmp_path) == script.Installer("there is no Go on PATH")

    def test_a_failing_go_is_no_go(self, tmp_path: Path) -> None:
        (tmp_path / "go").write_text("#!/bin/sh\nexit 2\n")
        (tmp_path / "go").chmod(0o755)

        assert isinstance(self.choose(tmp_path), script.Installer)

    def test_the_users_settings_do_not_change_what_is_built(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOFLAGS", "-mod=mod")
        monkeypatch.setenv("GOOS", "plan9")
        monkeypatch.setenv("GOWORK", "/somewhere/go.work")

        environment = script.GoBuild("go", Path("/modules")).environment()

        assert environment["GOFLAGS"] == "-mod=readonly -modcacherw -buildvcs=false"
        assert environment["GOWORK"] == "off"
        assert environment["GOMODCACHE"] == "/modules/mod"
        assert "GOOS" not in environment


class TestBuild:
    def test_a_failing_go_build_says_what_go_said(self, tmp_path: Path, said: Said) -> None:
        go = tmp_path / "go"
        go.write_text("#!/bin/sh\necho golang.org/x/net\necho 'dial tcp: no route' >&2\nexit 1\n")
        go.chmod(0o755)

        with pytest.raises(script.EngineError, match="'go build' failed with exit status 1") as got:
            script.GoBuild(str(go), tmp_path / "modules")(tmp_path, said)

        assert "dial tcp: no route" in str(got.value)
        assert "golang.org/x/net" not in str(got.value)

    def test_progress_counts_modules_and_packages(self) -> None:
        stream = io.StringIO()
        progress = script.Progress(stream, interval=0)

        assert progress.took("go: downloading github.com/x/y v1.2.3")
        assert progress.took("github.com/x/y/v2/z")
        assert progress.took("internal/abi")
        assert not progress.took("x.go:3:1: undefined: y")
        progress.show()

        assert "1 modules downloaded, 2 packages compiled\n" in stream.getvalue()

    def test_an_installer_that_fails_is_one_line_that_says_what_to_do(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: Said
    ) -> None:
        monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "")

        with pytest.raises(script.EngineError) as got:
            script.Installer("there is no Go on PATH")(tmp_path / "bin", said)

        message = str(got.value)
        assert "\n" not in message
        assert message.startswith("no Pulumi engine: there is no Go on PATH, and the official")
        assert "Install Pulumi 3.259.0 or newer, or Go 1.25.11 or newer" in message


class TestCommand:
    def command(self, tmp_path: Path, *folders: Path) -> tuple[list[str], dict[str, str]]:
        path = os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])
        return [sys.executable, str(SCRIPT)], os.environ | {
            "PATH": path,
            "XDG_CACHE_HOME": str(tmp_path / "xdg"),
        }

    def test_standard_output_is_the_folder_and_nothing_else(self, tmp_path: Path) -> None:
        old, new = pulumi(tmp_path / "old", "v3.1.0"), pulumi(tmp_path / "new")
        command, environment = self.command(tmp_path, old, new)

        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

        assert done.stdout == f"{new}\n"
        assert "not taking" in done.stderr

    def test_a_terminated_build_ends_with_one_line_and_leaves_nothing(self, tmp_path: Path) -> None:
        started = tmp_path / "started"
        go = tmp_path / "bin" / "go"
        go.parent.mkdir()
        go.write_text(
            '#!/bin/sh\n[ "$1" = version ] && echo go version go1.26.0 && exit\n'
            f"touch {started}\nsleep 120\n"
        )
        go.chmod(0o755)
        command, environment = self.command(tmp_path, go.parent)
        building = subprocess.Popen(
            [*command, "--own"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not started.exists():
            assert building.poll() is None
            time.sleep(0.02)
        building.send_signal(signal.SIGTERM)
        output, errors = building.communicate(timeout=60)

        cache = tmp_path / "xdg" / "dpor" / "engine"
        assert building.returncode == 130
        assert output == ""
        assert "Traceback" not in errors
        assert engines(cache) == []
        with (cache / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
