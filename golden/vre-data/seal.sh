#!/bin/sh
# Seals one Secret for the controller in the cluster of site cern-data, saves it in the repository and applies it. Nothing
# secret stands in this file. Written by sitec; do not edit.
#
# From the environment:
#   NS                 the namespace of the Secret
#   yaml_file_secret   the file with the Secret as YAML
#   SECRETS_STORE      the folder of the clone for sealed secrets of that namespace
set -eu

# kubeseal controller
CONTROLLER_NAME=sealed-secrets-data
CONTROLLER_NS=shared-services
YAML_PRFX="ss_"

: "${NS:?the namespace of the Secret}" "${yaml_file_secret:?the file with the Secret}" "${SECRETS_STORE:?the folder for sealed secrets}"

# name of the sealed file
OUTPUT_SECRET=${SECRETS_STORE%/}/${YAML_PRFX}$(basename "$yaml_file_secret")

mkdir -p "$SECRETS_STORE"
kubeseal --controller-name="$CONTROLLER_NAME" --controller-namespace="$CONTROLLER_NS" --format yaml --namespace="$NS" \
    <"$yaml_file_secret" >"$OUTPUT_SECRET.new"
[ -s "$OUTPUT_SECRET.new" ] || { echo "seal.sh: kubeseal wrote nothing" >&2; exit 1; }
mv "$OUTPUT_SECRET.new" "$OUTPUT_SECRET"

kubectl apply -f "$OUTPUT_SECRET"
