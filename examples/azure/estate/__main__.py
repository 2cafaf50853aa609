"""The estate's partners of record, on Azure."""

import pulumi

from dpor_provider import declare

resources = declare("partners.yaml")

pulumi.export("subscriptions", len(resources))
