"""Flower's settings in its container: basic auth when an account is set, and else an open page."""

import os

user, password = (os.environ.get(f"PREDICTQ_FLOWER_{name}") for name in ("USER", "PASSWORD"))
# Not FLOWER_BASIC_AUTH: Flower takes an empty one for a password that nobody has.
basic_auth = [f"{user}:{password}"] if user else []
# Each is kept with what was asked, some 4 kB; Flower's own 100,000 take 400 MB.
max_tasks = 10_000
