"""LitServe with its batching: ``python litserve_server.py PORT``."""

import os
import sys
from typing import Any

import joblib
import litserve


class Forest(litserve.LitAPI):  # type: ignore[misc]  # the package is in another environment
    """Joins the rows of requests that wait at the same time."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self.model = joblib.load(os.environ["MODEL"])

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Take the rows; here each request has one."""
        return request["features"][0]

    def predict(self, rows: list[Any]) -> list[Any]:
        """Predict a batch."""
        predictions: list[Any] = self.model.predict(rows).tolist()
        return predictions

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Answer one request."""
        return {"predictions": [output]}


if __name__ == "__main__":
    api = Forest(max_batch_size=64, batch_timeout=0.001, api_path="/predict")
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=2, timeout=30)
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
