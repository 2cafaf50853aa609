"""What a rule is, and what it looks at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from dpor_provider.live import Live, Record
from dpor_provider.model import Declared, Finding


@dataclass(frozen=True, slots=True)
class Subject:
    """One declared subscription beside its live record."""

    declared: Declared
    live: Live
    managed_by: str | None = None
    """project/stack/resource that declares it; None where that is not known."""
    recorded: bool = False
    """Whether this resource has designated it before."""
    id_known: bool = True
    """Whether the subscription's id is known yet."""

    @property
    def record(self) -> Record:
        """The live record."""
        return self.live.record(self.declared.subscription_id)


class Rule(ABC):
    """One rule: a class in a file of its own in this folder."""

    id: ClassVar[str]
    name: ClassVar[str]
    summary: ClassVar[str]
    property_name: ClassVar[str]
    """The resource's property that its findings are about."""
    declared_in: ClassVar[str | None] = None
    """Where a declaration file states it more closely: a key of `Declared.where`."""
    needs_subscription: ClassVar[bool] = True
    """Whether it has nothing to say while the subscription's id is unknown."""

    @abstractmethod
    def messages(self, subject: Subject) -> Iterator[str]:
        """One line for each problem: what is wrong, and what to do next."""

    def find(self, subject: Subject) -> Iterator[Finding]:
        """The findings on one subscription."""
        if self.needs_subscription and not subject.id_known:
            return
        declared = subject.declared
        places = (declared.where.get(key) for key in (self.declared_in, self.property_name) if key)
        where = next((place for place in places if place), None)
        for message in self.messages(subject):
            yield Finding(
                rule=self.id,
                message=message,
                subscription_id=declared.subscription_id if subject.id_known else None,
                property_name=self.property_name,
                where=where,
            )
