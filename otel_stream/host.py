"""Which provider answers at an address, in the convention's words."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Address", "address_of", "provider_at"]

Address = tuple[str | None, int | None]

# Registered domains and, for whole clouds, the suffix below which their customers' names stand.
_BY_SUFFIX = {
    "anthropic.com": "anthropic",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepinfra.com": "deepinfra",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.together.ai": "together",
    "api.together.xyz": "together",
    "api.x.ai": "x_ai",
    "amazonaws.com": "aws.bedrock",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "cerebras.ai": "cerebras",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "deepseek.com": "deepseek",
    "fireworks.ai": "fireworks",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "groq.com": "groq",
    "inference.ai.azure.com": "azure.ai.inference",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "mistral.ai": "mistral_ai",
    "openai.azure.com": "azure.ai.openai",
    "openai.com": "openai",
    "openrouter.ai": "openrouter",
    "services.ai.azure.com": "azure.ai.inference",
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_BY_LOCAL_PORT = {11434: "ollama"}
_DEFAULT_PORT = {"https": 443, "http": 80}


def address_of(url: Any) -> Address:
    """`server.address` and `server.port` of a base URL; None for what it does not say."""
    return _address_of(str(url))


@lru_cache(maxsize=256)
def _address_of(url: str) -> Address:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    return parts.hostname, port or _DEFAULT_PORT.get(parts.scheme)


@lru_cache(maxsize=256)
def provider_at(address: Address, otherwise: str) -> str:
    """`gen_ai.provider.name` for a host that is known, else `otherwise` (the SDK's own)."""
    host, port = address
    if host is None:
        return otherwise
    if host in _LOOPBACK:
        return _BY_LOCAL_PORT.get(port or 0, otherwise)
    if host.endswith("-aiplatform.googleapis.com"):  # one for each region
        return "gcp.vertex_ai"
    labels = host.split(".")
    for start in range(len(labels) - 1):
        known = _BY_SUFFIX.get(".".join(labels[start:]))
        if known is not None:
            return known
    return otherwise
