#!/bin/sh
# Installs or upgrades the chart, waits until every pod of it works, and shows the status:
#   deploy.sh RELEASE NAMESPACE [ARGUMENT OF HELM]...
# If the pods do not work within 15 minutes, the release is rolled back and the exit code is 1.
set -eu
if [ $# -lt 2 ]; then
  echo "usage: deploy.sh RELEASE NAMESPACE [ARGUMENT OF HELM]..." >&2
  exit 2
fi
release=$1
namespace=$2
shift 2
chart=$(dirname "$0")/predictq

status() {
  kubectl --namespace "$namespace" get deployments,statefulsets,pods,persistentvolumeclaims \
    --selector "app.kubernetes.io/instance=$release" --output wide
}
if ! helm upgrade "$release" "$chart" --install --create-namespace --namespace "$namespace" \
    --rollback-on-failure --wait --timeout 15m "$@"; then
  status
  kubectl --namespace "$namespace" get events --sort-by .lastTimestamp | tail -20
  exit 1
fi
status
