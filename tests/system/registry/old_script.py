"""A script as people have it for a service of their own: train, upload, deploy, predict, delete.

Nothing in it is of predictq. `python old_script.py URL KEY` runs it.
"""

import pickle
import sys

import requests
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

BASE_URL = sys.argv[1]
session = requests.Session()
session.trust_env = False
session.headers["Authorization"] = f"Bearer {sys.argv[2]}"

# Train and save
iris = load_iris()
model = RandomForestClassifier(n_estimators=10, random_state=0)
model.fit(iris.data, iris.target)
with open("model.pkl", "wb") as f:
    pickle.dump({"model": model, "feature_names": list(iris.feature_names)}, f)

# Upload
with open("model.pkl", "rb") as f:
    response = session.post(
        f"{BASE_URL}/upload_model", data={"model_id": "iris_rf"}, files={"file": f}
    )
print("upload:", response.status_code, response.json()["model_id"])

# Deploy
response = session.post(
    f"{BASE_URL}/deploy",
    json={
        "model_id": "iris_rf",
        "environment": "production",
        "resources": {"cpu_limit": "1", "memory_limit": "512Mi", "timeout": 30},
    },
)
print("deploy:", response.status_code, response.json()["status"])
deployment_id = response.json()["deployment_id"]

# Predict
response = session.post(
    f"{BASE_URL}/predict", json={"model_id": "iris_rf", "features": [[5.1, 3.5, 1.4, 0.2]]}
)
result = response.json()
print("predict:", response.status_code, result["prediction"], result["model_id"])
print("latency:", result["latency"] > 0, "timestamp:", bool(result["timestamp"]))

# The other shapes
response = session.post(f"{BASE_URL}/models/iris_rf/load")
print("load:", response.status_code, response.json()["status"])
response = session.post(
    f"{BASE_URL}/models/iris_rf/predict",
    json={"features": [[5.1, 3.5, 1.4, 0.2]], "return_probabilities": True},
)
result = response.json()
print("named:", result["predictions"], len(result["probabilities"][0]))
print("time:", result["prediction_time_seconds"] > 0, sorted(result["model_metadata"])[:2])
response = session.post(
    f"{BASE_URL}/models/iris_rf/batch_predict",
    json={"batch_features": iris.data.tolist(), "batch_size": 64},
)
result = response.json()
print("batch:", result["total_samples"], result["throughput_samples_per_second"] > 0)

# Status
response = session.get(f"{BASE_URL}/models/status")
print(
    "status:",
    response.status_code,
    any(version["model"] == "iris_rf" for version in response.json()["versions"]),
)

# Clean up
response = session.post(f"{BASE_URL}/stop_deployment/{deployment_id}")
print("stop:", response.status_code)
response = session.delete(f"{BASE_URL}/delete_model/iris_rf")
print("delete:", response.status_code)
