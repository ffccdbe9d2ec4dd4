"""Redis's address in Celery's words, which differ from redis-py's where it is a socket."""

from urllib.parse import parse_qsl, urlencode, urlsplit


def celery_url(redis_url: str) -> str:
    """As brokers and result backends are named: ``unix://`` is ``redis+socket://`` there."""
    address = urlsplit(redis_url)
    if address.scheme != "unix":
        return redis_url
    query = dict(parse_qsl(address.query))
    query["virtual_host"] = query.pop("db", "0")
    return f"redis+socket://{address.netloc}{address.path}?{urlencode(query)}"


def backend_url(redis_url: str, backend: str) -> str:
    """The same for a result backend of our own, named as module and class."""
    return f"{backend}+{celery_url(redis_url).removeprefix('redis+')}"
