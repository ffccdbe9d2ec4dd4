"""Translates a Redis URL for Celery, which spells Unix sockets differently from redis-py."""

from urllib.parse import parse_qsl, urlencode, urlsplit


def celery_url(redis_url: str) -> str:
    """The URL for Celery's broker and result backend: ``unix://`` becomes ``redis+socket://``."""
    address = urlsplit(redis_url)
    if address.scheme != "unix":
        return redis_url
    query = dict(parse_qsl(address.query))
    query["virtual_host"] = query.pop("db", "0")
    return f"redis+socket://{address.netloc}{address.path}?{urlencode(query)}"


def backend_url(redis_url: str, backend: str) -> str:
    """The URL of a custom result backend, which ``backend`` names as ``module:Class``."""
    return f"{backend}+{celery_url(redis_url).removeprefix('redis+')}"
