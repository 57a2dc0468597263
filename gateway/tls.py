"""The certificate of HTTPS."""

import ssl

from asrd.core.errors import UsageError, reason
from asrd.gateway.options import GatewayOptions


def check_certificate(options: GatewayOptions) -> None:
    """Raise UsageError for a certificate or a key that cannot be used."""
    if not (options.certificate and options.key):
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(options.certificate, options.key)
    except OSError as error:  # of ssl, too
        missing = next((path for path in (options.certificate, options.key) if not path.exists()), None)
        what = f"no such file: {missing}" if missing else reason(error)
        raise UsageError(f"{options.certificate} and {options.key} cannot be used for TLS: {what}") from error
