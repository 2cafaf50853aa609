"""The part that was there before: makes subscriptions, whose ids are known only afterwards."""

import uuid

import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class _Vending(ResourceProvider):
    def create(self, props):
        made = str(uuid.uuid4())
        return CreateResult(made, {**props, "subscription_id": made})


class Subscription(Resource):
    """A stand-in for the resource that makes your subscriptions."""

    subscription_id: pulumi.Output[str]

    def __init__(self, name, display_name):
        super().__init__(_Vending(), name, {"display_name": display_name, "subscription_id": None})
