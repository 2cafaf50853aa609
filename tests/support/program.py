"""The tests' Pulumi program: declares what the stack's JSON file says."""

import json
import uuid
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

from dpor_provider import PartnerOfRecord, declare
from dpor_provider.registry import open_registry
from dpor_provider.resources.dynamic import PartnerOfRecordProvider


class Subscriptions(ResourceProvider):
    """Makes subscriptions, whose ids nobody knows before."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make one; its id depends on its name alone, so that a test can name it."""
        made = str(uuid.uuid5(uuid.NAMESPACE_DNS, props["alias"]))
        return CreateResult(made, {"alias": props["alias"], "subscription_id": made})


class Subscription(Resource):
    """A subscription that is made by the same program."""

    subscription_id: pulumi.Output[str]

    def __init__(self, name: str) -> None:
        super().__init__(Subscriptions(), name, {"alias": name, "subscription_id": None})


class Team(pulumi.ComponentResource):
    """A component to put resources under."""

    def __init__(self, name: str) -> None:
        super().__init__("test:index:Team", name)


class Forged(Resource, module="other", name="Thing"):
    """The provider of a PartnerOfRecord under another type."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None, **properties: Any) -> None:
        owner = f"{pulumi.get_project()}/{pulumi.get_stack()}/{name}"
        super().__init__(PartnerOfRecordProvider(), name, properties | {"managed_by": owner}, opts)


class Meddling(ResourceProvider):
    """Designates by hand, in the middle of a deployment."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Do so."""
        registry = open_registry(props["url"], principal=props["principal"])
        registry.designations.designate(
            props["subscription_id"], props["partner_id"], seen_version=0, owner=None
        )
        return CreateResult(props["subscription_id"], props)


class Meddler(Resource):
    """Somebody who changes a record behind the deployment's back."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions, **properties: Any) -> None:
        super().__init__(Meddling(), name, properties, opts)


plan = json.loads(Path(f"{pulumi.get_stack()}.json").read_text())
previous: list[pulumi.Resource] = []
for arguments in plan["resources"]:
    name, parent, made, after, kind = (
        arguments.pop(key, None) for key in ("name", "parent", "made", "after", "kind")
    )
    if made:
        arguments["subscription_id"] = Subscription(made).subscription_id
    opts = pulumi.ResourceOptions(
        parent=Team(parent) if parent else None, depends_on=previous[-1:] if after else None
    )
    what = {"forged": Forged, "meddler": Meddler}.get(kind, PartnerOfRecord)
    previous.append(what(name, **arguments, opts=opts))
if "declare" in plan:
    declare(*plan["declare"])
