"""The link of one partner's service principal, which runs this program itself."""

import pulumi

from dpor_provider import PartnerAdminLink

config = pulumi.Config()

link = PartnerAdminLink(
    "link",
    partner_id=config.require("partner_id"),
    partner_name=config.require("partner_name"),
)

# What the registry's directory and partners.yaml name among the partner's principals.
pulumi.export("object_id", link.object_id)
pulumi.export("linked_at", link.linked_at)
