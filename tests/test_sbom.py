"""`make sbom`: every locked package is on the list, with its hashes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_locked_package_is_listed_with_its_hashes(tmp_path: Path) -> None:
    recipe = (ROOT / "Makefile").read_text().split("\nsbom:")[1].split("\n\n")[0]
    command = recipe.partition("\t@")[2].replace("\\\n", " ").split()
    assert command[-1] == "sbom.cdx.json"
    written = tmp_path / "sbom.cdx.json"
    subprocess.run(
        [Path(sys.executable).parent / command[0], *command[1:-1], written, "--no-validate"],
        cwd=ROOT,
        check=True,
    )
    components = json.loads(written.read_text())["components"]
    listed = {
        (component["name"], component["version"]): component["externalReferences"][0]["hashes"]
        for component in components
    }
    locked = re.findall(
        r"^([\w.\[\]-]+)==([\w.+]+)", (ROOT / "requirements.lock").read_text(), re.M
    )
    assert {(name.split("[")[0], version) for name, version in locked} == set(listed)
    assert all(listed.values())
