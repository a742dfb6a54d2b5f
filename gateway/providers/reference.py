"""Write docs/providers.md from the table: `python -m gateway.providers.reference > docs/providers.md`."""

import sys

from gateway.providers.provider import Provider
from gateway.providers.table import TABLE, load_table

INTRODUCTION = f"""\
# Providers

This page is made from `gateway/providers/{TABLE}` by `python -m gateway.providers.reference > docs/providers.md`;
a test fails when the two differ.

A provider of this list is live as soon as its environment variable holds a key, or the settings name one:

```yaml
providers:
  groq:
    api_key: env:GROQ_API_KEY      # or file:/run/secrets/groq; never the key itself
  openrouter:
    enabled: false                 # its key is in the environment, and it shall not be used
```

`steelyard check` tells which providers are live and what the others lack. Models and prices come from the catalog.

A variable or file may hold **several keys**, with commas or line ends between (not for the clouds, whose logins renew
themselves). Requests take turns with them. A key that reaches its rate limit is left out for that model until the limit
is over, one that is refused or used up for all models: the log says so once, and after five minutes one request tries
it again. A request that meets such a key goes on with the next one; only a provider without any is passed over. `key`
of an attempt says which one it was.
"""

OWN_SERVERS = """\
## A server of your own

Anything that answers OpenAI Chat Completions is a provider by its URL: vLLM, SGLang, llama.cpp, Ollama, LM Studio, TGI,
or another gateway. It needs no key unless you name one; say which models it serves.

```yaml
providers:
  attic:                            # any name that is not in the table
    base_url: http://127.0.0.1:11434/v1   # what an OpenAI client would call its base URL
    models:
      - id: meta-llama/llama-3.3-70b-instruct   # figures come from the catalog where the id is known there
        upstream_name: llama3.3           # what the server calls it
        input_price_usd: 0
        output_price_usd: 0
```

| server | base_url as it starts |
|---|---|
| vLLM | `http://127.0.0.1:8000/v1` |
| SGLang | `http://127.0.0.1:30000/v1` |
| llama.cpp (`llama-server`) | `http://127.0.0.1:8080/v1` |
| Ollama | `http://127.0.0.1:11434/v1` |
| LM Studio | `http://127.0.0.1:1234/v1` |

Hosts whose address is yours alone work the same way. Under these names the catalog knows their models and prices:

| name | base_url |
|---|---|
| `cloudflare` | `https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1` |
| `databricks` | `https://HOST/ai-gateway/mlflow/v1` |
| `snowflake` | `https://ACCOUNT.snowflakecomputing.com/api/v2/cortex/v1` |

A `base_url` under the name of a provider of the table replaces its URL, for a proxy or another region. No key from the
environment is sent to it, because that key was meant for another host: name one with `api_key`.

## Adding a provider to the table

One row in `gateway/providers/compatible.yaml`, with a comment that says what was read for it and when; the head of the
file explains the fields. If its errors are unlike the others', one row per error in `gateway/providers/signs.py`, each
with a case in `tests/providers/test_faults.py`. Then run the command at the top of this page.
"""


OF_CLOUD = {
    "aws": "`AWS_REGION` and credentials of AWS: see [clouds](clouds.md)",
    "google": "`GOOGLE_APPLICATION_CREDENTIALS` or `GOOGLE_VERTEX_API_KEY`: see [clouds](clouds.md)",
    "azure": "`AZURE_OPENAI_ENDPOINT` and a key or an application: see [clouds](clouds.md)",
}


def reference() -> str:
    """The whole page."""
    rows = [_row(provider) for provider in load_table().values()]
    head = ["| provider | name | set | quirks |", "|---|---|---|---|"]
    count = f"## The {len(rows)} providers of the table\n"
    return "\n".join([INTRODUCTION, count, *head, *rows, "", OWN_SERVERS])


def _row(provider: Provider) -> str:
    variables = OF_CLOUD.get(provider.cloud) or " or ".join(f"`{name}`" for name in provider.key_env)
    return f"| [{provider.title}]({provider.docs}) | `{provider.name}` | {variables} | {'; '.join(_quirks(provider))} |"


def _quirks(provider: Provider) -> list[str]:
    """What sets the provider apart, in words."""
    quirks = []
    if provider.drop_fields:
        quirks.append("refuses " + ", ".join(f"`{field}`" for field in provider.drop_fields) + ": not sent")
    if not provider.stream_usage:
        quirks.append("refuses `stream_options`: not sent")
    if provider.max_tokens_field:
        quirks.append(f"takes the output limit as `{provider.max_tokens_field}` only")
    if provider.headers:
        quirks.append("gets " + ", ".join(f"`{name}: {value}`" for name, value in provider.headers))
    if provider.assistant_prefix:
        quirks.append("goes on with an answer that broke off elsewhere")
    if provider.region:
        quirks.append(f"computes in {provider.region}")
    return quirks


if __name__ == "__main__":
    sys.stdout.write(reference())
