"""The two files of a policy pack."""

from __future__ import annotations

from importlib.metadata import version


def files() -> dict[str, str]:
    """Their content, by their names."""
    return {
        "PulumiPolicy.yaml": _PROJECT.format(version=version("dpor-provider")),
        "__main__.py": _MAIN,
    }


_PROJECT = """\
description: Who may be digital partner of record of which subscription, and who may say so.
version: {version}
runtime: python
"""

_MAIN = '''\
"""The policy pack: `pulumi preview --policy-pack` with this folder."""

from dpor_provider.policies import run

run()
'''
