"""Who may use the service: the check of a request's key."""

import hmac
from collections.abc import Iterable

from hearline.errors import AuthenticationError


class Access:
    """Lets pass who presents the configured key; without one, everybody."""

    def __init__(self, api_key: str | None) -> None:
        self._api_key = None if api_key is None else api_key.encode()

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Check the ``Authorization`` header; its scheme is case-insensitive (spec 1.2).

        Args:
            headers: Lower-case names and values.

        Raises:
            AuthenticationError: The key is missing or wrong.

        """
        if self._api_key is None:
            return
        value = next((value for name, value in headers if name == b"authorization"), b"")
        scheme, _, key = value.partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(key.strip(), self._api_key):
            raise AuthenticationError("Invalid API-key provided.")
