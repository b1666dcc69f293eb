#!/bin/sh
# Copies the images of images.txt into the registry of site sund-campus. Written by sitec; do not edit.
#
#   sh mirror.sh login REGISTRY USER [FILE]   signs in, with the password in FILE or typed in
#   sh mirror.sh copy                         where both registries are within reach
#   sh mirror.sh save FOLDER                  where the sources are within reach: into a folder, to be carried in
#   sh mirror.sh load FOLDER                  where the registry of the site is within reach: out of that folder
#   sh mirror.sh check                        whether the registry of the site has every image
#
# What is done already is left out: after a fault, start it again.
set -eu
list=$(dirname -- "$0")/images.txt
registry=registry.campus.example

fail() {
    printf 'mirror.sh: %s\n' "$*" >&2
    exit 1
}

tool=docker

sign_in() { # registry user, password on standard input
    "$tool" login --username "$2" --password-stdin "$1"
}

fetched() { # source digest
    "$tool" pull "$1"
    [ "$2" = - ] || "$tool" image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' "$1" | grep -q "@$2\$" || fail "$1 is not $2"
}

to_file() { # source file
    "$tool" save --output "$2" "$1"
    "$tool" image rm "$1" >/dev/null
}

from_file() { # source file target
    "$tool" load --input "$2"
    over "$1" "$3"
}

over() { # source target
    "$tool" tag "$1" "$2"
    "$tool" push "$2"
    "$tool" image rm "$1" "$2" >/dev/null
}

there() { # target
    "$tool" manifest inspect "$1" >/dev/null 2>&1
}

# Calls a function with source, target and digest of each image of the list.
each() {
    while read -r source target digest; do
        case $source in '' | '#'*) continue ;; esac
        "$1" "$source" "$target" "$digest" </dev/null
    done <"$list"
}

file_of() {
    printf '%s/%s' "$folder" "$(printf '%s' "$1" | tr '/:@' '___')"
}

copy_one() {
    if there "$2"; then
        printf 'is there: %s\n' "$2"
        return
    fi
    fetched "$1" "$3"
    over "$1" "$2"
}

save_one() {
    file=$(file_of "$2")
    if [ -e "$file.tar" ]; then
        printf 'is there: %s\n' "$file.tar"
        return
    fi
    rm -f -- "$file.part"
    fetched "$1" "$3"
    to_file "$1" "$file.part"
    mv -- "$file.part" "$file.tar"
}

load_one() {
    file=$(file_of "$2")
    if [ -e "$file.done" ]; then
        printf 'is there: %s\n' "$2"
        return
    fi
    [ -e "$file.tar" ] || fail "$file.tar is not there; was everything saved and carried in?"
    from_file "$1" "$file.tar" "$2"
    : >"$file.done"
}

missing=0
check_one() {
    if there "$2"; then
        return
    fi
    printf 'missing: %s\n' "$2"
    missing=1
}

login() { # registry user [file]
    if [ "$#" -ge 3 ]; then
        sign_in "$1" "$2" <"$3"
        return
    fi
    printf 'Password of %s at %s: ' "$2" "$1" >&2
    stty -echo
    trap 'stty echo' EXIT INT TERM
    read -r password
    stty echo
    trap - EXIT INT TERM
    printf '\n' >&2
    printf '%s' "$password" | sign_in "$1" "$2"
}

usage="usage: sh mirror.sh login REGISTRY USER [FILE] | copy | save FOLDER | load FOLDER | check"
[ -r "$list" ] || fail "$list is not there; it belongs beside this script"
command -v "$tool" >/dev/null || fail "$tool is not installed here"
case ${1-} in
login)
    [ "$#" -ge 3 ] || fail "$usage (the registry of the site is $registry)"
    shift
    login "$@"
    ;;
copy) each copy_one ;;
save | load)
    [ "$#" -eq 2 ] || fail "$usage"
    folder=$2
    mkdir -p -- "$folder"
    each "$1_one"
    ;;
check)
    each check_one
    [ "$missing" = 0 ] || fail "run copy or load again"
    printf 'every image is there\n'
    ;;
*) fail "$usage" ;;
esac
