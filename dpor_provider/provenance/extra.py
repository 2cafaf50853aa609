"""PyJWT with cryptography, which the extra `oidc` brings.

Raises:
    Unavailable: on import, where the extra is not installed.
"""

from dpor_provider.errors import Unavailable

try:
    import cryptography as cryptography
    import jwt as jwt
except ModuleNotFoundError as error:
    raise Unavailable(
        "to check an OIDC token takes PyJWT, which is not installed; run: pip install"
        " 'dpor-provider[oidc]'"
    ) from error
