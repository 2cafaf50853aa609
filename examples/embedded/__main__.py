"""An estate of twelve subscriptions, declared in one file."""

from collections import Counter

import pulumi

from dpor_provider import declare

resources = declare("partners.yaml")

pulumi.export("subscriptions", len(resources))
pulumi.export(
    "by_partner",
    pulumi.Output.all(*(resource.partner_name for resource in resources.values())).apply(
        lambda names: dict(sorted(Counter(names).items()))
    ),
)
