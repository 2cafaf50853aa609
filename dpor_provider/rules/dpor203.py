"""DPOR203: the program deploys elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class RegistryMismatch(Rule):
    """What is guarded must be what is written."""

    id: ClassVar = "DPOR203"
    name: ClassVar = "registry-mismatch"
    summary: ClassVar = "The program deploys to another registry or platform than is guarded."
    rationale: ClassVar = (
        "The policy pack looks at the registry that its own configuration names. A stack that is"
        " pointed at another one, by its own configuration or by a pull request that changes it,"
        " would be judged by what it does not touch. A registry is known by an identity of its own,"
        " which no other path or URL can take on."
    )
    mend: ClassVar = (
        "Point `dpor:registry` and `dpor:platform` of the stack at what the pack guards. If the"
        " team moved to another registry, the platform team changes the pack's configuration first."
    )
    property_name: ClassVar = "registry_id"
    needs_subscription: ClassVar = False
    knows_exceptions: ClassVar = False
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
target: {registry_id: 0c1ce5b2-58ba-4d21-a6ab-0a42a5d8a1a7, platform: portal}
""",
            says="0c1ce5b2-58ba-4d21-a6ab-0a42a5d8a1a7",
        ),
        Example(
            SIMPLE,
            """\
registry_id: 825c7d0e-d8f0-4b23-bcad-10bf0e2a00c9
target: {registry_id: 825c7d0e-d8f0-4b23-bcad-10bf0e2a00c9, platform: azure}
""",
            says="platform azure",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
registry_id: 825c7d0e-d8f0-4b23-bcad-10bf0e2a00c9
target: {registry_id: 825c7d0e-d8f0-4b23-bcad-10bf0e2a00c9, platform: portal}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name both."""
        target, live = subject.target, subject.live
        if target is None:
            return
        if target.registry_id != live.registry_id:
            names = f"the registry {target.registry_id}" if target.registry_id else "no registry"
            yield (
                f"the program deploys to {names}, and the rules guard"
                f" {live.registry_name} ({live.registry_id}); point dpor:registry there"
            )
        if target.platform != live.platform_name:
            yield (
                f"the program deploys to platform {target.platform}, and the rules guard"
                f" {live.platform_name}; set dpor:platform to that"
            )
