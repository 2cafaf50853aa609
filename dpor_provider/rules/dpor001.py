"""DPOR001: a declaration that cannot be read."""

from __future__ import annotations

from typing import ClassVar

from dpor_provider.model import Intent
from dpor_provider.rules.base import Example, Rule


class InvalidDeclaration(Rule):
    """What cannot be read declares nothing; the reader itself finds it."""

    id: ClassVar = "DPOR001"
    name: ClassVar = "invalid-declaration"
    summary: ClassVar = "The declaration cannot be read, or does not follow the schema."
    rationale: ClassVar = (
        "A subscription that is left out because its entry could not be read would lose its partner"
        " of record. So whatever is not understood is reported with its place, and nothing is"
        " deployed. YAML that hides what it says (duplicate keys, aliases, tags, merge keys,"
        " several documents, numbers that it reads as other numbers) counts as unreadable."
    )
    mend: ClassVar = (
        "Correct what the message names. `dpor schema` prints the JSON Schema; named in the file's"
        " first line, it lets an editor complete and check while you type."
    )
    property_name: ClassVar = "subscription_id"
    intents: ClassVar = tuple(Intent)
    needs_live: ClassVar = False
    needs_subscription: ClassVar = False
    knows_exceptions: ClassVar = False
    finds: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partnr: contoso}
""",
            says="did you mean 'partner'?",
        ),
        Example(
            """\
version: 1
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: none}
""",
            says="reason",
        ),
    )
    accepts: ClassVar = (
        Example(
            """\
version: 1
partners:
  contoso: {id: "4567890", name: Contoso Consulting}
subscriptions:
  - {id: 6f9619ff-8b86-4d01-b42d-00cf4fc964ff, partner: contoso}
  - {id: 8854663a-8528-5749-8fab-6489de93353a, partner: none, reason: Internal}
"""
        ),
    )
