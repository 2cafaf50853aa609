"""The system of record: who is partner of record where, by whom, since when."""

from dpor_provider.registry.access import RemovedAccess
from dpor_provider.registry.chain import Head
from dpor_provider.registry.designations import Owner
from dpor_provider.registry.registry import (
    Content,
    Registry,
    init_registry,
    open_registry,
    upgrade_registry,
)

__all__ = [
    "Content",
    "Head",
    "Owner",
    "Registry",
    "RemovedAccess",
    "init_registry",
    "open_registry",
    "upgrade_registry",
]
