#!/bin/sh
# Renders the chart with its defaults, as the kustomize base: sh deploy/helm/render.sh > deploy/kubernetes/predictq.yaml
set -eu
echo "# Made from deploy/helm/predictq: sh deploy/helm/render.sh > deploy/kubernetes/predictq.yaml"
helm template predictq "$(dirname "$0")/predictq" --skip-tests --namespace predictq
