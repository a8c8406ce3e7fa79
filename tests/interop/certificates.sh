#!/usr/bin/env bash
# Makes the certificates that the checks of TLS use, anew at each run.
#
# usage: certificates.sh FOLDER
#   ca.pem                  the authority; servers and clients below are signed by it
#   server.pem server.key   for localhost, showcase, 127.0.0.1 and ::1, with P-256
#   other.pem other.key     the same names, with RSA
#   elsewhere.pem elsewhere.key
#                           for another name
#   client.pem client.key   a client's
#   stranger.pem stranger.key
#                           a client's, from an authority that nobody knows
#   spki                    the hash of server.pem's public key, as Chromium takes it
set -euo pipefail
folder=${1:?usage: certificates.sh FOLDER}
mkdir -p "$folder"
cd "$folder"

ec=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1)
names='subjectAltName=DNS:localhost,DNS:showcase,IP:127.0.0.1,IP:::1'
quietly() { "$@" 2>openssl.log || { cat openssl.log >&2; exit 1; }; }

# authority NAME
authority() {
    quietly openssl req -x509 "${ec[@]}" -noenc -days 366 -subj "/CN=barewire checks, $1" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$1.key" -out "$1.pem"
}

# signed NAME AUTHORITY USAGE EXTENSION KEY...: a certificate with a new key.
signed() {
    local name=$1 authority=$2 usage=$3 extension=$4
    shift 4
    quietly openssl req "$@" -noenc -subj "/CN=$name" -keyout "$name.key" -out request.pem
    printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
        "extendedKeyUsage=$usage" "$extension" >extensions
    quietly openssl x509 -req -in request.pem -CA "$authority.pem" -CAkey "$authority.key" -days 365 \
        -extfile extensions -out "$name.pem"
}

authority ca
authority unknown
signed server ca serverAuth "$names" "${ec[@]}"
signed other ca serverAuth "$names" -newkey rsa:2048
signed elsewhere ca serverAuth 'subjectAltName=DNS:elsewhere.example' "${ec[@]}"
signed client ca clientAuth 'subjectAltName=DNS:client.example' "${ec[@]}"
signed stranger unknown clientAuth 'subjectAltName=DNS:stranger.example' "${ec[@]}"
openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform der |
    openssl dgst -sha256 -binary | base64 >spki
