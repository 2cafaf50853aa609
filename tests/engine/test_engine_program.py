"""Programs, as the language host runs them."""

import json
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

from engine.harness import TRACEBACK, VIRTUALENV, Project

CONFIG = """
    import pulumi

    config = pulumi.Config()
    print("printed by the program")
    pulumi.export("place", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
    pulumi.export("plain", config.require("plain"))
    pulumi.export("number", config.require_int("number"))
    pulumi.export("secret", config.require_secret("secret"))
"""


def test_the_stacks_config_reaches_the_program_and_secrets_stay_secret(project: Project) -> None:
    project.create(CONFIG)
    project.run("config", "set", "plain", "a b, 'c' ü")
    project.run("config", "set", "number", "7")
    project.run("config", "set", "--secret", "secret", "hush")

    output = project.run("up", "--yes")

    assert "printed by the program" in output
    assert "hush" not in output
    assert json.loads(project.run("stack", "output", "--json")) == {
        "place": ["shop", "dev", "organization"],
        "plain": "a b, 'c' ü",
        "number": 7,
        "secret": "[secret]",
    }
    shown = json.loads(project.run("stack", "output", "--json", "--show-secrets"))
    assert shown["secret"] == "hush"


def test_a_stack_without_config_runs(project: Project) -> None:
    project.create("import pulumi; pulumi.export('x', pulumi.Config().get('x') or 'none')")

    assert "none" in project.run("preview")


def test_a_relative_virtualenv_counts_from_the_root_of_the_project(project: Project) -> None:
    relative = replace(project, virtualenv="../environment", main="source")
    (project.folder / "environment").symlink_to(VIRTUALENV)
    relative.create("import sys, pulumi; pulumi.export('prefix', sys.prefix)")

    relative.run("up", "--yes", "--skip-preview")

    prefix = Path(json.loads(relative.run("stack", "output", "--json"))["prefix"])
    assert prefix.resolve() == Path(VIRTUALENV).resolve()


def test_a_library_that_is_only_named_like_a_provider_asks_for_no_plugin(project: Project) -> None:
    packages = project.folder / "packages"
    for name in ("pulumi_plain", "pulumi_off"):
        (packages / name).mkdir(parents=True)
        (packages / f"{name}-1.0.dist-info").mkdir()
        (packages / f"{name}-1.0.dist-info" / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n"
        )
    (packages / "pulumi_off" / "pulumi-plugin.json").write_text('{"resource": false}')
    named = replace(project, environment={"PYTHONPATH": str(packages)})
    named.create("import pulumi")

    named.run("preview")


def test_a_package_with_a_provider_asks_for_its_plugin(project: Project) -> None:
    packages = project.folder / "packages"
    (packages / "pulumi_nowhere").mkdir(parents=True)
    (packages / "pulumi_nowhere" / "pulumi-plugin.json").write_text(
        '{"resource": true, "name": "nowhere", "version": "1.2.3", "server": "http://127.0.0.1:9"}'
    )
    needy = replace(project, environment={"PYTHONPATH": str(packages)})
    needy.create("import pulumi")

    done = needy.try_("plugin", "install")

    assert done.status != 0
    assert "resource plugin nowhere-1.2.3" in done.output


def test_a_missing_virtualenv_is_one_clear_message(project: Project) -> None:
    missing = replace(project, virtualenv="nowhere")
    missing.create("import pulumi")

    done = missing.try_("preview")

    assert done.status != 0
    (error,) = done.errors()
    assert "runtime option 'virtualenv' is \"nowhere\"" in error
    assert str(project.folder / "project" / "nowhere") in error
    assert TRACEBACK not in done.output


def test_an_unknown_toolchain_is_one_clear_message(project: Project) -> None:
    project.create("import pulumi")
    file = project.folder / "project" / "Pulumi.yaml"
    file.write_text(file.read_text().replace("toolchain: pip", "toolchain: conda"))

    done = project.try_("preview")

    assert done.status != 0
    (error,) = done.errors()
    assert "runtime option 'toolchain' must be pip, poetry, uv or auto, not conda" in error


def test_a_program_that_does_not_import_is_reported_once(project: Project) -> None:
    project.create("import pulumi\nimport no_such_module\n")

    done = project.try_("preview")

    assert done.status != 0
    assert "ModuleNotFoundError: No module named 'no_such_module'" in done.output
    assert "exit status" not in done.output
    report = done.output[done.output.index("Diagnostics:") :]
    assert report.count("ModuleNotFoundError") == 1


def test_a_run_error_ends_the_run_without_a_traceback(project: Project) -> None:
    project.create("import pulumi\nraise pulumi.RunError('partner 7 is not known')\n")

    done = project.try_("preview")

    assert done.status != 0
    assert "error: partner 7 is not known" in done.output
    assert TRACEBACK not in done.output


def test_a_program_that_exits_says_its_status(project: Project) -> None:
    project.create("import os\nos._exit(3)\n")

    done = project.try_("preview")

    assert done.status != 0
    assert "the program ended with exit status 3" in done.output


def test_an_interrupted_run_ends_quietly_and_leaves_no_process(project: Project) -> None:
    project.create("""
        import os, pathlib, time

        pathlib.Path("pid").write_text(str(os.getpid()))
        time.sleep(120)
    """)
    running = subprocess.Popen(
        project.command("preview"),
        cwd=project.folder / "project",
        env=project.variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    pid = wait_for_pid(project.folder / "project" / "pid")
    os.killpg(running.pid, signal.SIGINT)

    output, _ = running.communicate(timeout=60)

    assert running.returncode != 0
    assert "KeyboardInterrupt" not in output
    assert TRACEBACK not in output
    assert not is_running(pid)


def test_the_program_does_not_outlive_a_killed_engine(project: Project) -> None:
    project.create("""
        import os, pathlib, signal, time

        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pathlib.Path("pid").write_text(str(os.getpid()))
        time.sleep(120)
    """)
    running = subprocess.Popen(
        project.command("preview"),
        cwd=project.folder / "project",
        env=project.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    pid = wait_for_pid(project.folder / "project" / "pid")
    running.kill()
    running.wait()

    deadline = time.monotonic() + 60
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert not is_running(pid)


def wait_for_pid(file: Path) -> int:
    deadline = time.monotonic() + 60
    while not (file.exists() and file.read_text()):
        assert time.monotonic() < deadline, "the program did not start"
        time.sleep(0.05)
    return int(file.read_text())


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
