"""An access token, as Google and Microsoft give it."""

import msgspec
from msgspec import Struct

from gateway.transport.lease import Lent
from gateway.wire.secret import Secret

USUAL_SECONDS = 3600.0


class Grant(Struct, frozen=True):
    """RFC 6749, 5.1. Azure's metadata server writes the number as text."""

    access_token: str
    expires_in: float | str = USUAL_SECONDS

    def lent(self, now_unix: float) -> Lent:
        """The token, and until when it holds."""
        try:
            seconds = float(self.expires_in)
        except ValueError:
            seconds = USUAL_SECONDS
        return Lent(Secret(self.access_token), now_unix + seconds)


GRANT = msgspec.json.Decoder(Grant)
