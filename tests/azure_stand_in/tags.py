"""The tags of a subscription: Microsoft.Resources/tags/default, read and written at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .arm import Answer, Call, Operation
from .errors import bad_request
from .estate import Subscription

VERSIONS = (
    "2019-10-01",
    "2020-06-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
)
PATH = "/subscriptions/{subscription}/providers/Microsoft.Resources/tags/default"
MAX_TAGS = 50
MAX_NAME = 512
MAX_VALUE = 256
NOT_IN_NAMES = frozenset("<>%&\\?/")


def get_tags(call: Call) -> Answer:
    found = _subscription(call, "read")
    return Answer(_body(found, found.tags))


def put_tags(call: Call) -> Answer:
    """Replace all tags."""
    found = _subscription(call, "write", write=True)
    return _write(call, found, dict(_given(call)))


def patch_tags(call: Call) -> Answer:
    """Merge into the tags, replace them, or delete those named, where their values match."""
    found = _subscription(call, "write", write=True)
    given = _given(call)
    operation = call.json_object().get("operation")
    if operation == "Replace":
        return _write(call, found, dict(given))
    names = {name.lower(): name for name in found.tags}
    after = dict(found.tags)
    if operation == "Merge":
        for name, value in given.items():
            after[names.get(name.lower(), name)] = value
    elif operation == "Delete":
        for name, value in given.items():
            known = names.get(name.lower())
            if known is not None and value in ("", after[known]):
                del after[known]
    else:
        raise bad_request(
            "InvalidTagsPatchOperation",
            f"The operation '{operation}' is not one of 'Merge', 'Replace' and 'Delete'.",
        )
    return _write(call, found, after)


def delete_tags(call: Call) -> Answer:
    """Delete all tags."""
    found = _subscription(call, "delete")
    call.world.change_subscription(found.id, tags={})
    return Answer()


def _subscription(call: Call, verb: str, *, write: bool = False) -> Subscription:
    found = call.subscription(call.path["subscription"], write=write)
    call.require(
        f"Microsoft.Resources/tags/{verb}",
        found.scope,
        f"{found.scope}/providers/Microsoft.Resources/tags/default",
    )
    return found


def _given(call: Call) -> Mapping[str, str]:
    properties = call.json_object().get("properties")
    tags = properties.get("tags") if isinstance(properties, dict) else None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise bad_request(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized: 'properties.tags' is "
            "not an object of strings.",
        )
    for name, value in tags.items():
        if not 0 < len(name) <= MAX_NAME or NOT_IN_NAMES.intersection(name):
            raise bad_request("InvalidTagName", f"The tag name '{name}' is not valid.")
        if len(value) > MAX_VALUE:
            raise bad_request(
                "InvalidTagValueLength",
                f"The value of tag '{name}' has more than {MAX_VALUE} characters.",
            )
    if len({name.lower() for name in tags}) < len(tags):
        raise bad_request("InvalidTagName", "A tag name is there twice; case does not count.")
    return tags


def _write(call: Call, found: Subscription, tags: Mapping[str, str]) -> Answer:
    if len(tags) > MAX_TAGS:
        raise bad_request(
            "TagCountLimitExceeded",
            f"The resource '{found.scope}' would have {len(tags)} tags. The maximum number of tags "
            f"is {MAX_TAGS}.",
        )
    call.world.change_subscription(found.id, tags=tags)
    return Answer(_body(found, tags))


def _body(found: Subscription, tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"{found.scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(tags)},
    }


OPERATIONS = (
    Operation("GET", PATH, get_tags, VERSIONS),
    Operation("PUT", PATH, put_tags, VERSIONS),
    Operation("PATCH", PATH, patch_tags, VERSIONS),
    Operation("DELETE", PATH, delete_tags, VERSIONS),
)
