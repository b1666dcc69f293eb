#!/bin/sh
# Seals the secrets of site polaris-vre for the controller in its cluster. Nothing secret stands in this file or on a
# command line: `sh secrets.sh ask` has taken the secrets into a folder that only you can read. Written by sitec; do not edit.
set -eu
umask 077
here=${SECRETS:-./secrets}

# kubeseal controller
CONTROLLER_NAME=sealed-secrets-polaris
CONTROLLER_NS=shared-services
YAML_PRFX="ss_"
# the folder of the repository for sealed files
STORE=iac/secrets

usage() {
    cat <<'END'
usage: seal.sh all CLONE     seal every secret of the plan into the clone of the repository
       seal.sh apply CLONE   apply the sealed files with kubectl
       seal.sh one           seal one Secret of your own and apply it; takes three variables from the environment:
                               NS                 its namespace
                               yaml_file_secret   the file with it
                               SECRETS_STORE      the folder of the clone for sealed secrets of that namespace
END
}

fail() {
    printf 'seal.sh: %s\n' "$1" >&2
    exit 1
}

needed() { [ -s "$here/$1" ] || fail "$1 is not there yet; first: secrets.sh ask $1"; }

# A Secret as YAML → a sealed file. Without a namespace, a secret would be sealed for the current one.
sealed() {
    kubeseal --controller-name="$CONTROLLER_NAME" --controller-namespace="$CONTROLLER_NS" --format yaml --namespace="$1" >"$2.new" ||
        fail "kubeseal refused $2"
    mv "$2.new" "$2"
    printf '%s\n' "$2"
}

# The folder of a namespace, and in it the file of a Secret.
file_of() { printf '%s/%s/%s%s.yaml' "$store" "$1" "$YAML_PRFX" "$2"; }

# What may stand in a URL.
encoded() { od -An -v -tx1 <"$1" | tr -d ' \n' | sed 's/../%&/g'; }

# namespace, Secret, key, account, host, port, database, secret
url() {
    needed "$8"
    mkdir -p "$store/$1"
    printf 'postgresql://%s:%s@%s:%s/%s' "$4" "$(encoded "$here/$8")" "$5" "$6" "$7" |
        kubectl create secret generic "$2" --namespace="$1" --dry-run=client --from-file="$3=/dev/stdin" -o yaml |
        sealed "$1" "$(file_of "$1" "$2")"
}

# namespace, Secret, key, secret
key() {
    needed "$4"
    mkdir -p "$store/$1"
    kubectl create secret generic "$2" --namespace="$1" --dry-run=client --from-file="$3=$here/$4" -o yaml |
        sealed "$1" "$(file_of "$1" "$2")"
}

# namespace, Secret, key, file
file() {
    [ -s "$4" ] || fail "there is nothing in '$4'"
    mkdir -p "$store/$1"
    kubectl create secret generic "$2" --namespace="$1" --dry-run=client --from-file="$3=$4" -o yaml |
        sealed "$1" "$(file_of "$1" "$2")"
}

# namespace, Secret, secret with the key, file with the certificate
tls() {
    needed "$3"
    [ -s "$4" ] || fail "there is nothing in '$4'"
    mkdir -p "$store/$1"
    kubectl create secret tls "$2" --namespace="$1" --dry-run=client --key="$here/$3" --cert="$4" -o yaml |
        sealed "$1" "$(file_of "$1" "$2")"
}

all() {
    url rucio-vre rucio-server-polaris-rucio-db dbconnectstring rucio pg1.polaris.example 5432 rucio rucio-db
    url jhub lab-polaris-db dbconnectstring jhub pg1.polaris.example 5432 jhub jhub-db
    key reana reana-polaris-db password reana-db
    key reana reana-polaris-key secret_key reana-key
    key rucio-vre rucio-server-polaris-server-hostkey hostkey.pem rucio-hostkey
    key rucio-vre rucio-server-polaris-auth-hostkey hostkey.pem rucio-hostkey
    key rucio-vre rucio-server-polaris-fts-cert usercert.pem robot-cert
    key rucio-vre rucio-server-polaris-fts-key new_userkey.pem robot-key
    file rucio-vre rucio-server-polaris-server-hostcert hostcert.pem /root/tls/hostcert.pem
    file rucio-vre rucio-server-polaris-auth-hostcert hostcert.pem /root/tls/hostcert.pem
    file rucio-vre rucio-server-polaris-server-cafile ca.pem /root/tls/ca.pem
    file rucio-vre rucio-server-polaris-auth-cafile ca.pem /root/tls/ca.pem
}

# The clone's folder of sealed secrets.
clone() {
    [ -d "$1/.git" ] || fail "'$1' is no clone of a repository"
    store=$1/$STORE
}

case ${1:-} in
    all)
        [ $# -eq 2 ] || { usage >&2; exit 2; }
        clone "$2"
        all
        ;;
    apply)
        [ $# -eq 2 ] || { usage >&2; exit 2; }
        clone "$2"
        for sealed_file in "$store"/*/"$YAML_PRFX"*.yaml; do
            kubectl apply -f "$sealed_file"
        done
        ;;
    one)
        : "${NS:?the namespace}" "${yaml_file_secret:?the file with the Secret}" "${SECRETS_STORE:?the folder for sealed secrets}"
        OUTPUT_SECRET=${SECRETS_STORE%/}/$YAML_PRFX$(basename "$yaml_file_secret")
        sealed "$NS" "$OUTPUT_SECRET" <"$yaml_file_secret"
        kubectl apply -f "$OUTPUT_SECRET"
        ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
