"""The paths of the drop-in in the OpenAPI document."""

from api.drop_in.deployments import DeletedModel, Deployed, OldDeployment, Uploaded
from api.drop_in.predicting import BatchAnswer, OldBatch, OldLoad
from api.models.model_form import ModelFields
from api.openapi.objects import Json, endings, in_path, operation_answering, request_body
from api.openapi.registry import ONE_MODEL, form_of

DROP_IN = "drop-in"
DROP_IN_TYPES = (Uploaded, OldDeployment, Deployed, DeletedModel, OldLoad, OldBatch, BatchAnswer)
DROP_IN_CHANGES = ("400", "403", "404", "409", "413", "415", "422", "503", "507")
DROP_IN_PREDICTIONS = ("400", "404", "413", "415", "422", "503")


def drop_in() -> Json:
    """The routes of hand-written services."""
    one = {"parameters": [in_path("id", "Name of the model, or model@environment")]}
    return {
        "/upload_model": {
            "post": _changing("Upload a model", "oldUpload", Uploaded)
            | {"requestBody": form_of(ModelFields)}
        },
        "/deploy": {
            "post": _changing(
                "Point an environment to a model, with limits by its own workers",
                "oldDeploy",
                Deployed,
            )
            | {"requestBody": request_body(OldDeployment, {"model_id": "iris"})}
        },
        "/stop_deployment/{id}": one
        | {"post": _changing("Delete an environment", "oldStop", Deployed)},
        "/delete_model/{id}": one
        | {"delete": _changing("Remove a model", "oldDelete", DeletedModel)},
        "/models/{name}/load": ONE_MODEL
        | {"post": _predicting("Have a worker load a model", "oldLoad", OldLoad)},
        "/models/{name}/batch_predict": ONE_MODEL
        | {
            "post": _predicting("Predict many rows", "oldBatch", BatchAnswer)
            | {"requestBody": request_body(OldBatch, {"batch_features": [[5.8, 2.8, 5.1, 2.4]]})}
        },
    }


def _changing(summary: str, name: str, kind: type) -> Json:
    return operation_answering(DROP_IN, summary, name, kind, *DROP_IN_CHANGES)


def _predicting(summary: str, name: str, kind: type) -> Json:
    found = operation_answering(DROP_IN, summary, name, kind, *DROP_IN_PREDICTIONS)
    found["responses"] |= endings()
    return found
