"""Dynamic providers, policy packs and Python plugins, as the engine and the host run them."""

import json
from dataclasses import replace
from textwrap import dedent

import pytest
from engine.harness import TRACEBACK, VIRTUALENV, Project, write_pack

DYNAMIC = """
    import pulumi
    from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult
    from pathlib import Path

    class Files(ResourceProvider):
        def create(self, props):
            Path(props["path"]).write_text(props["text"])
            return CreateResult(props["path"], dict(props))

        def update(self, id_, olds, news):
            Path(id_).write_text(news["text"])
            return UpdateResult(dict(news))

        def delete(self, id_, props):
            Path(id_).unlink()

    class File(Resource):
        path: pulumi.Output[str]

        def __init__(self, name, **props):
            super().__init__(Files(), name, props)

    config = pulumi.Config()
    File("one", path=config.require("path"), text=config.require("text"))
"""

PACK = """
    import pulumi
    from pulumi_policy import (
        EnforcementLevel, PolicyConfigSchema, PolicyPack, ResourceValidationPolicy,
    )

    def no_bad_components(args, report):
        if args.resource_type == "test:index:Thing" and args.name == "bad":
            seen = [pulumi.Config("shop").get("place"), pulumi.get_project(), pulumi.get_stack()]
            report(f"seen: {seen} {args.get_config()}")

    PolicyPack("checks", [
        ResourceValidationPolicy(
            name="no-bad", description="Nothing may be bad.", validate=no_bad_components,
            enforcement_level=EnforcementLevel.MANDATORY,
            config_schema=PolicyConfigSchema(properties={"limit": {"type": "integer"}}),
        ),
    ])
"""

THINGS = """
    import pulumi

    class Thing(pulumi.ComponentResource):
        def __init__(self, name, opts=None):
            super().__init__("test:index:Thing", name, {}, opts)
            self.register_outputs({})

    last = Thing("good")
    last = Thing(pulumi.Config().get("name") or "bad", pulumi.ResourceOptions(depends_on=[last]))
    for number in range(20):
        last = Thing(f"thing-{number}", pulumi.ResourceOptions(depends_on=[last]))
"""

COMPONENT = """
    import pulumi

    class PairArgs:
        pass

    class Pair(pulumi.ComponentResource):
        length: pulumi.Output[int]

        def __init__(self, name: str, args: PairArgs, opts: pulumi.ResourceOptions | None = None):
            super().__init__("twins:index:Pair", name, {}, opts)
            self.length = pulumi.Output.from_input(len(name))
            self.register_outputs({"length": self.length})
"""

PLUGIN = f"""{COMPONENT}
    from pulumi.provider.experimental import component_provider_host

    component_provider_host(name="twins", components=[Pair])
"""

PLUGIN_USER = """
    import pulumi

    class Pair(pulumi.ComponentResource):
        length: pulumi.Output[int]

        def __init__(self, name):
            super().__init__(
                "twins:index:Pair", name, {"length": None}, pulumi.ResourceOptions(), remote=True
            )

    pulumi.export("length", Pair("castor").length)
"""


def test_a_dynamic_provider_creates_updates_and_deletes(project: Project) -> None:
    project.create(DYNAMIC)
    file = project.folder / "file.txt"
    project.run("config", "set", "path", str(file))
    project.run("config", "set", "text", "first")

    project.run("preview")
    assert not file.exists()
    project.run("up", "--yes", "--skip-preview")
    assert file.read_text() == "first"

    project.run("config", "set", "text", "second")
    project.run("up", "--yes", "--skip-preview")
    assert file.read_text() == "second"
    project.run("preview", "--expect-no-changes")

    project.run("destroy", "--yes", "--skip-preview")
    assert not file.exists()


def test_a_pack_sees_its_config_and_the_stacks_and_its_violation_blocks(project: Project) -> None:
    project.create(THINGS)
    pack = write_pack(project.folder / "pack", PACK)
    settings = project.folder / "settings.json"
    settings.write_text(json.dumps({"no-bad": {"limit": 3}}))
    with_pack = ("--policy-pack", str(pack), "--policy-pack-config", str(settings))
    project.run("config", "set", "place", "here")

    previewed = project.try_("preview", *with_pack)
    applied = project.try_("up", "--yes", "--skip-preview", *with_pack)

    for done in (previewed, applied):
        assert done.status != 0
        assert "no-bad" in done.output
        assert "seen: ['here', 'shop', 'dev'] {'limit': 3.0}" in done.output
        assert TRACEBACK not in done.output
        assert "KeyboardInterrupt" not in done.output

    project.run("config", "set", "name", "fine")
    assert "checks" in project.run("up", "--yes", "--skip-preview", *with_pack)


def test_a_pack_takes_the_virtualenv_beside_it(project: Project) -> None:
    project.create("import pulumi")
    pack = write_pack(project.folder / "pack", PACK, virtualenv="../environment")
    (project.folder / "environment").symlink_to(VIRTUALENV)

    assert "checks" in project.run("preview", "--policy-pack", str(pack))


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        (
            "import no_such_module",
            "called PolicyPack: ModuleNotFoundError: No module named 'no_such_module'",
        ),
        ("import sys; sys.exit('no rules found')", "called PolicyPack: no rules found"),
        ("", "the pack ended without calling PolicyPack"),
        ("print('hello'); import time; time.sleep(60)", 'the pack printed "hello" before'),
    ],
    ids=["import", "exit", "empty", "prints"],
)
def test_a_pack_that_fails_at_start_is_one_clear_message(
    project: Project, rules: str, reason: str
) -> None:
    project.create("import pulumi")
    pack = write_pack(project.folder / "pack", rules)

    done = project.try_("preview", "--policy-pack", str(pack))

    assert done.status != 0
    errors = [error for error in done.errors() if not error.startswith("error: Program failed")]
    assert len(errors) == 1
    assert reason in errors[0]


def test_a_pack_without_its_virtualenv_is_one_clear_message(project: Project) -> None:
    project.create("import pulumi")
    pack = write_pack(project.folder / "pack", PACK, virtualenv="nowhere")

    done = project.try_("preview", "--policy-pack", str(pack))

    assert done.status != 0
    (error,) = done.errors()
    assert "runtime option 'virtualenv' is \"nowhere\"" in error
    assert str(pack / "nowhere") in error


def test_a_python_plugin_serves_a_component(project: Project) -> None:
    user = replace(
        project, plugins="plugins: {providers: [{name: twins, path: ../plugin}]}\n"
    ).create(PLUGIN_USER)
    plugin = write_pack(project.folder / "plugin", PLUGIN)
    (plugin / "PulumiPolicy.yaml").rename(plugin / "PulumiPlugin.yaml")

    user.run("up", "--yes", "--skip-preview")

    assert json.loads(user.run("stack", "output", "--json")) == {"length": 6}


def test_a_python_plugin_that_is_a_package_serves_a_component(project: Project) -> None:
    plugin = write_pack(project.folder / "plugin", "")
    (plugin / "PulumiPolicy.yaml").rename(plugin / "PulumiPlugin.yaml")
    (plugin / "__main__.py").unlink()
    (plugin / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "twins"\nversion = "1.0"\n'
    )
    (plugin / "twins").mkdir()
    (plugin / "twins" / "__init__.py").write_text(dedent(COMPONENT))
    user = replace(
        project,
        plugins="plugins: {providers: [{name: twins, path: ../plugin}]}\n",
        environment={"PYTHONPATH": str(plugin)},
    ).create(PLUGIN_USER)

    user.run("up", "--yes", "--skip-preview")

    assert json.loads(user.run("stack", "output", "--json")) == {"length": 6}


def test_a_python_plugin_that_fails_shows_why(project: Project) -> None:
    user = replace(
        project, plugins="plugins: {providers: [{name: twins, path: ../plugin}]}\n"
    ).create(PLUGIN_USER)
    plugin = write_pack(project.folder / "plugin", "import no_such_module")
    (plugin / "PulumiPolicy.yaml").rename(plugin / "PulumiPlugin.yaml")

    done = user.try_("preview")

    assert done.status != 0
    assert "could not read plugin" in done.output
    assert "exit status 1" in done.output
