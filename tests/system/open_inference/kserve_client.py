"""What KServe's client asks of a server; its test runs this in an environment of its own."""

import asyncio
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

URL = sys.argv[1]
ROWS = np.array([[5.8, 2.8, 5.1, 2.4], [5.1, 3.5, 1.4, 0.2]])


def request(rows: np.ndarray, *, binary: bool) -> InferRequest:
    tensor = InferInput("features", [*rows.shape], "FP64")
    tensor.set_data_from_numpy(rows, binary_data=binary)
    return InferRequest("iris", [tensor], request_id="mine")


async def main() -> None:
    async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
        print("live", await client.is_server_live(URL), "ready", await client.is_server_ready(URL))
        print("model", await client.is_model_ready(URL, "iris"))
        print("no model", await client.is_model_ready(URL, "nothing"))
        for binary in (False, True):
            told = await client.infer(URL, request(ROWS, binary=binary), model_name="iris")
            found = [(each.name, each.as_numpy().tolist()) for each in told.outputs]
            print("infer", told.model_name, told.id, found)
        try:
            await client.infer(URL, request(ROWS[:, :3], binary=True), model_name="iris")
        except httpx.HTTPStatusError as error:
            print("refused", str(error).split(", or")[0])


asyncio.run(main())
