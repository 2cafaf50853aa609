"""A landing zone; the import of `PartnerOfRecord` and its use are all that is new."""

import pulumi
from vending import Subscription

from dpor_provider import PartnerOfRecord

payments = Subscription("payments", "Payments production")

partner = PartnerOfRecord(
    "payments-partner",
    subscription_id=payments.subscription_id,
    partner_id="4567890",
    partner_name="Contoso Consulting",
)

pulumi.export("subscription_id", payments.subscription_id)
pulumi.export("partner", partner.partner_name)
pulumi.export("effective", partner.effective)
