import pytest
from yarl import URL

from gateway.transport.proxy import proxy_for

HTTPS = "https://api.example.com/v1/chat/completions"
HTTP = "http://10.0.0.7:8000/v1/chat/completions"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (HTTPS, {}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        (HTTPS, {"https_proxy": "http://proxy:3128"}, "http://proxy:3128"),
        (HTTPS, {"https_proxy": "http://lower", "HTTPS_PROXY": "http://upper"}, "http://lower"),
        (HTTPS, {"HTTP_PROXY": "http://proxy:3128"}, None),
        (HTTP, {"HTTP_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        (HTTP, {"HTTPS_PROXY": "http://proxy:3128"}, None),
        (HTTPS, {"ALL_PROXY": "http://all"}, "http://all"),
        (HTTPS, {"ALL_PROXY": "http://all", "HTTPS_PROXY": "http://own"}, "http://own"),
        (HTTPS, {"HTTPS_PROXY": "proxy:3128"}, "http://proxy:3128"),
        (HTTPS, {"HTTPS_PROXY": "http://user:word@proxy:3128"}, "http://user:word@proxy:3128"),
        (HTTPS, {"HTTPS_PROXY": ""}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "api.example.com"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": ".example.com"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "example.com"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "no_proxy": "a.b, example.com"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "*"}, None),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "ample.com"}, "http://proxy"),
        (HTTPS, {"HTTPS_PROXY": "http://proxy", "NO_PROXY": "localhost,127.0.0.1"}, "http://proxy"),
        (HTTP, {"ALL_PROXY": "http://proxy", "NO_PROXY": "10.0.0.7"}, None),
        (HTTP, {"ALL_PROXY": "http://proxy", "NO_PROXY": "10.0.0.7:8000"}, None),
        (HTTP, {"ALL_PROXY": "http://proxy", "NO_PROXY": "10.0.0.7:9000"}, "http://proxy"),
    ],
)
def test_the_environment_says_which_proxy(url: str, environ: dict[str, str], proxy: str | None) -> None:
    assert proxy_for(URL(url), environ) == (None if proxy is None else URL(proxy))
