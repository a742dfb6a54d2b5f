"""The providers whose address and credentials follow the rules of a cloud."""

from collections.abc import Callable, Mapping

from gateway.providers.on_aws import on_aws
from gateway.providers.on_azure import on_azure
from gateway.providers.on_google import on_google
from gateway.providers.provider import Provider
from gateway.settings.schema import ProviderSettings

BUILDERS: dict[str, Callable[[Provider, ProviderSettings, Mapping[str, str]], Provider]] = {
    "aws": on_aws,
    "google": on_google,
    "azure": on_azure,
}


def on_cloud(row: Provider, wished: ProviderSettings, environ: Mapping[str, str]) -> Provider:
    """The row with its address, routes and credentials filled in. Raises Missing."""
    return BUILDERS[row.cloud](row, wished, environ)
