"""What Triton's client asks of a server; its test runs this in an environment of its own."""

import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

address, key = sys.argv[1:]
client = triton.InferenceServerClient(address)
owner = {"Authorization": f"Bearer {key}"}
iris = client.get_model_metadata("iris")
rows = np.array([[5.8, 2.8, 5.1, 2.4], [5.1, 3.5, 1.4, 0.2]])


def tensor(name: str, values: np.ndarray, datatype: str, *, binary: bool = True):
    given = triton.InferInput(name, [*values.shape], datatype)
    given.set_data_from_numpy(values, binary_data=binary)
    return given


def answered(inputs: list, *outputs: str, binary: bool = True, **more) -> list:
    wanted = [triton.InferRequestedOutput(name, binary_data=binary) for name in outputs]
    told = client.infer("iris", inputs, outputs=wanted or None, **more)
    known = told.get_response()["outputs"]
    return [told.as_numpy(each["name"]).round(6).tolist() for each in known]


def refused(inputs: list, **more) -> str:
    try:
        answered(inputs, **more)
    except InferenceServerException as error:
        return f"{error.status()} {error.message()}"
    return "accepted"


def listed(name: str) -> dict:
    """The entry of a model in the index of the repository."""
    (found,) = (each for each in client.get_model_repository_index() if each["name"] == name)
    return found


columns = [
    tensor(each["name"], rows[:, [place]].astype(np.float32), "FP32")
    for place, each in enumerate(iris["inputs"])
]
matrix = tensor("any-name", rows, "FP64")
print("live", client.is_server_live(), "ready", client.is_server_ready())
print("server", client.get_server_metadata()["name"], client.get_server_metadata()["extensions"])
print("model", iris["versions"], client.is_model_ready("iris"), client.is_model_ready("iris", "1"))
print("inputs", iris["inputs"][0])
print("outputs", [(each["name"], each["datatype"], each["shape"]) for each in iris["outputs"]][:2])
print("matrix", answered([matrix]), answered([matrix], model_version="1"))
print("columns", answered(columns))
print("as JSON", answered([tensor("x", rows, "FP64", binary=False)], "predict", binary=False))
both = answered([matrix], "predict", "predict_proba")
print("both", both[0], np.argmax(both[1], axis=1).tolist(), np.shape(both[1]))
print("id", client.infer("iris", [matrix], request_id="mine").get_response()["id"])
print("timeout", answered([matrix], timeout=10_000_000))
print("shape", refused([tensor("x", rows[:, :3], "FP64")]))
print("version", refused([matrix], model_version="7")[:3])
print("index", listed("iris"))
client.unload_model("iris", headers=owner)
iris = listed("iris")
print("unloaded", client.is_model_ready("iris"), iris["state"], iris["reason"])
client.load_model("iris", headers=owner)
print("loaded", client.is_model_ready("iris"), listed("iris")["state"])
