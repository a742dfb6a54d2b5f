"""Members of a request that would tell whoever reads them where to send requests: no caller says that (S07).

We read none of them; but a body is passed on as it came, and the provider may be a gateway that does.
"""

from msgspec import Struct


class NoAddress(Struct, frozen=True, kw_only=True, gc=False):
    """What requests inherit, so that their decoders refuse these members, whatever stands in them but null.

    Names: what gateways and SDKs call an address in a body or in their options (litellm, Portkey, openai), 2026-11-23.
    """

    api_base: None = None
    api_url: None = None
    base_url: None = None
    callback_url: None = None
    endpoint_url: None = None
    http_proxy: None = None
    proxies: None = None
    proxy: None = None
    proxy_url: None = None
    webhook_url: None = None


ADDRESSES = frozenset(NoAddress.__struct_fields__)
