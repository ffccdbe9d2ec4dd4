"""Flower's settings in its container: basic auth if an account is set, else an open page."""

import os

user, password = (os.environ.get(f"PREDICTQ_FLOWER_{name}") for name in ("USER", "PASSWORD"))
# Not FLOWER_BASIC_AUTH: Flower takes an empty value for a password, and locks everyone out.
basic_auth = [f"{user}:{password}"] if user else []
# A task takes 4 kB with its arguments; Flower's default of 100,000 tasks takes 400 MB.
max_tasks = 10_000
