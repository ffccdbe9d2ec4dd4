"""The plainest server: FastAPI with the model in its process; started by uvicorn."""

import os
from typing import Any

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.environ["MODEL"])
app = FastAPI()


class Rows(BaseModel):
    """What a request holds."""

    features: list[list[float]]


@app.post("/predict")  # type: ignore[untyped-decorator]  # not installed here
def predict(rows: Rows) -> dict[str, Any]:
    """Predict rows, in a thread of the server."""
    return {"predictions": model.predict(rows.features).tolist()}


@app.get("/health")  # type: ignore[untyped-decorator]  # as above
def health() -> dict[str, Any]:
    """Answer once the model is loaded."""
    return {}
