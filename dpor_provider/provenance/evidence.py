"""What this process can show of where it comes from: what its environment claims, and tokens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dpor_provider.errors import Invalid, Refused
from dpor_provider.provenance.claimed import APPROVER, claimed
from dpor_provider.provenance.obtain import obtain
from dpor_provider.provenance.provenance import Provenance
from dpor_provider.provenance.trust import Demand, Trust, Verified

if TYPE_CHECKING:
    from dpor_provider.provenance.keys import Keys


def _now() -> datetime:
    return datetime.now(UTC)


class Evidence:
    """Where a process comes from; safe for several threads.

    A token is obtained and verified when a demand asks for one, and counts until it expires.

    Args:
        environ: The environment of the process.
        clock: The time, with its zone.
    """

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], datetime] = _now) -> None:
        self._environ = environ
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Trust, Verified] = {}
        self._keys: Keys | None = None
        self._shown = claimed(environ)

    @property
    def provenance(self) -> Provenance | None:
        """What is known best: what a token proved last, else what the environment claims."""
        return self._shown

    def kept(self, demand: Demand) -> Verified | None:
        """What met a demand before, and still does; None where nothing does."""
        found = self._kept.get(demand.trust)
        return found if found and self._clock() < found.expires_at else None

    def meet(self, demand: Demand) -> Verified:
        """Show what a demand asks for.

        Raises:
            Refused: there is no token that meets it; the text says what is lacking.
            Unavailable: a token, or its issuer's keys, cannot be had.
        """
        with self._lock:
            found = self.kept(demand) or self._verify(demand)
            self._kept[demand.trust] = found
            self._shown = found.recorded
            return found

    def _verify(self, demand: Demand) -> Verified:
        trust = demand.trust
        token = obtain(self._environ, trust.audience)
        if token is None:
            raise Refused(
                f"the registry demands an OIDC token of {trust.issuer} for the audience"
                f" {trust.audience} from who changes what is under {demand.scope}, and there is"
                " none; deploy from a pipeline that has one (docs/provenance.md)"
            )
        from dpor_provider.provenance.keys import Keys
        from dpor_provider.provenance.token import verify

        self._keys = self._keys or Keys()
        try:
            found = verify(token, trust, now=self._clock(), keys=self._keys)
        except Invalid as problem:
            raise Refused(str(problem)) from problem
        approver = self._environ.get(APPROVER)
        return replace(found, provenance=replace(found.provenance, claimed_approver=approver))
