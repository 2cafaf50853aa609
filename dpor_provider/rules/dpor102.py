"""DPOR102: a Partner ID that the directory does not know."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterator
from typing import ClassVar

from dpor_provider.names import same_name
from dpor_provider.partner_id import malformed
from dpor_provider.rules.base import SIMPLE, Example, Rule
from dpor_provider.rules.subject import Subject


class UnknownPartner(Rule):
    """A wrong Partner ID links nobody, and nobody notices."""

    id: ClassVar = "DPOR102"
    name: ClassVar = "unknown-partner"
    summary: ClassVar = "The Partner ID is well formed, but not in the registry's directory."
    rationale: ClassVar = (
        "A well-formed Partner ID that is nobody's, or somebody else's, links nobody or the "
        "wrong company. The registry's directory holds those that were verified once."
    )
    mend: ClassVar = (
        "Correct the ID. If it is right, a Global Administrator enters it with `dpor registry "
        "partner add`, having verified with the partner whose it is."
    )
    property_name: ClassVar = "partner_id"
    declared_in: ClassVar = "directory_id"
    needs_subscription: ClassVar = False
    needs_known: ClassVar = ("partner_id",)
    guards_writes: ClassVar = True
    finds: ClassVar = (
        Example(
            SIMPLE,
            """\
directory:
  - {id: "5127255", name: Fabrikam Cloud Services}
""",
            says="is not in the directory",
        ),
        Example(
            """\
version: 1
partners:
  contoso: {id: "3456789", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
""",
            """\
directory:
  - {id: "4567890", name: Contoso Consulting, former_ids: ["3456789"]}
""",
            says="Contoso Consulting has 4567890 now",
        ),
    )
    accepts: ClassVar = (
        Example(
            SIMPLE,
            """\
directory:
  - {id: "4567890", name: Contoso Consulting}
""",
        ),
    )

    def messages(self, subject: Subject) -> Iterator[str]:
        """Name what the directory has instead."""
        partner_id = subject.declared.partner_id
        directory = subject.live.directory
        if (
            partner_id is None
            or malformed(partner_id, subject.terms.digits)
            or partner_id in directory.partners
        ):
            return
        if partner := directory.find(partner_id):
            yield (
                f"Partner ID {partner_id} was renumbered: {partner.name} has {partner.id} now;"
                f" declare that"
            )
            return
        name = subject.declared.partner_name
        by_name = [p.id for p in directory.partners.values() if name and same_name(p.name, name)]
        near = by_name or difflib.get_close_matches(partner_id, directory.partners, n=1)
        hint = f"did you mean {directory.label(near[0])}? If not," if near else "if it is right,"
        yield (
            f"Partner ID {partner_id} is not in the directory of registry"
            f" {subject.live.registry_name}; {hint} a Global Administrator adds it with:"
            f" dpor registry partner add {partner_id} {shlex.quote(name or 'NAME')}"
        )
