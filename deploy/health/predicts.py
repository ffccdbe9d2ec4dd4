"""Asks an API for a prediction: predicts.py URL BODY; exit 0 once it has succeeded."""

import json
import os
import sys
from urllib.request import Request, urlopen

url, body = sys.argv[1:]
headers = {"authorization": f"Bearer {os.environ['PREDICTQ_KEY']}", "prefer": "wait=60"}
asked = Request(f"{url}/predict", body.encode(), {**headers, "content-type": "application/json"})
with urlopen(asked, timeout=90) as answer:  # an error status raises, and the exit code is 1
    outcome = json.load(answer)
print(outcome)
sys.exit(outcome["status"] != "succeeded")
