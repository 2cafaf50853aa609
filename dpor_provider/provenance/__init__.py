"""Where a deployment comes from: what its pipeline claims, and what an OIDC token proves.

`claimed` reads the environment, which anybody can set. `dpor_provider.provenance.token.verify`
checks a token that the pipeline's own issuer signed; it needs the extra `oidc`.
"""

from dpor_provider.provenance.claimed import PIPELINES, claimed
from dpor_provider.provenance.evidence import Evidence
from dpor_provider.provenance.provenance import Provenance
from dpor_provider.provenance.trust import Demand, Trust, Verified

__all__ = ["PIPELINES", "Demand", "Evidence", "Provenance", "Trust", "Verified", "claimed"]
