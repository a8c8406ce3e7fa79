#!/usr/bin/env bash
# The files of a directory with curl.
#
# usage: files.sh http://HOST:PORT DIRECTORY
#
# The showcase serves DIRECTORY below /static; the files are made here.
set -uo pipefail
base=${1:?usage: files.sh http://HOST:PORT DIRECTORY}
base=${base%/}
directory=${2:?usage: files.sh http://HOST:PORT DIRECTORY}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

curl() { command curl --silent --show-error --max-time 30 --noproxy '*' "$@"; }

# check NAME FUNCTION: the function fails by its status; what it printed says why.
check() {
    local why
    if why=$("$2" 2>&1); then
        printf 'ok curl files %s\n' "$1"
    else
        printf 'FAIL curl files %s: %s\n' "$1" "$(printf '%s' "$why" | tr '\r\n' '  ' | cut -c1-300)"
        failed=1
    fi
}
equal() { [ "$1" = "$2" ] || { printf '%q, not %q\n' "${1:0:200}" "${2:0:200}"; return 1; }; }

mkdir -p "$directory/curl/folder"
files=$base/static/curl
printf '0123456789' >"$directory/curl/digits.txt"
head -c 10000000 /dev/urandom >"$directory/curl/ten.bin"
printf '<p>index' >"$directory/curl/folder/index.html"
seq 20000 >"$directory/curl/numbers.txt"
gzip -nk9f "$directory/curl/numbers.txt"
# Of the past, so that entity tags are strong.
touch -d '2020-09-13 12:26:40 UTC' "$directory"/curl/*.*

whole() { curl -o "$work/whole" "$files/ten.bin" && cmp "$work/whole" "$directory/curl/ten.bin"; }

range() {
    equal "$(curl -r 2-4 -w ' %{http_code}' "$files/digits.txt")" '234 206' || return 1
    equal "$(curl -r 7- "$files/digits.txt")" 789 || return 1
    equal "$(curl -r -2 "$files/digits.txt")" 89
}

ranges() {
    local out
    out=$(curl -r 0-1,8-8 -w '%{http_code} %{content_type}' "$files/digits.txt" | tr -d '\r') || return 1
    grep -q '^206 multipart/byteranges; boundary=' <<<"$out" || { echo "$out"; return 1; }
    equal "$(grep -c '^Content-Range: bytes [08]-[18]/10$' <<<"$out")" 2 || return 1
    equal "$(grep -A1 '^$' <<<"$out" | grep '^[0-9]' | grep -v ' ' | tr '\n' ' ')" '01 8 '
}

beyond() {
    local out
    out=$(curl -i -r 10- "$files/digits.txt" | tr -d '\r') || return 1
    grep -q '^HTTP/1.1 416 ' <<<"$out" || { echo "$out"; return 1; }
    grep -qi '^content-range: bytes \*/10$' <<<"$out" || { echo "$out"; return 1; }
}

resume() {
    head -c 3456789 "$directory/curl/ten.bin" >"$work/part"
    equal "$(curl -C - -o "$work/part" -w '%{http_code} %{size_download}' "$files/ten.bin")" '206 6543211' || return 1
    cmp "$work/part" "$directory/curl/ten.bin"
}

etag() {
    rm -f "$work/tag"
    equal "$(curl --etag-save "$work/tag" -o "$work/out" -w '%{http_code}' "$files/digits.txt")" 200 || return 1
    grep -q '^"..*"$' "$work/tag" || { cat "$work/tag"; return 1; }
    equal "$(curl --etag-compare "$work/tag" -o "$work/none" -w '%{http_code} %{size_download}' "$files/digits.txt")" '304 0' || return 1
    equal "$(curl --etag-compare "$work/tag" -o "$work/other" -w '%{http_code}' "$files/ten.bin")" 200
}

since() {
    equal "$(curl -z 'Sun, 13 Sep 2020 12:26:40 GMT' -o "$work/none" -w '%{http_code}' "$files/digits.txt")" 304 || return 1
    equal "$(curl -z 'Sun, 13 Sep 2020 12:26:39 GMT' -o "$work/out" -w '%{http_code}' "$files/digits.txt")" 200 || return 1
    # With a minus: only if it is not younger.
    equal "$(curl -z '-Sun, 13 Sep 2020 12:26:39 GMT' -o "$work/out" -w '%{http_code}' "$files/digits.txt")" 412 || return 1
    # The time of a local copy.
    curl -R -o "$work/copy" "$files/digits.txt" || return 1
    equal "$(curl -z "$work/copy" -o "$work/none" -w '%{http_code}' "$files/digits.txt")" 304
}

compressed() {
    local sizes
    curl --compressed -o "$work/numbers" "$files/numbers.txt" || return 1
    cmp "$work/numbers" "$directory/curl/numbers.txt" || return 1
    sizes=$(curl -H 'Accept-Encoding: gzip' -o "$work/raw" -w '%{size_download}' "$files/numbers.txt") || return 1
    equal "$sizes" "$(stat -c %s "$directory/curl/numbers.txt.gz")" || return 1
    cmp "$work/raw" "$directory/curl/numbers.txt.gz"
}

folder() {
    equal "$(curl -o /dev/null -w '%{http_code} %{redirect_url}' "$files/folder")" "301 $files/folder/" || return 1
    equal "$(curl -L "$files/folder")" '<p>index'
}

head_only() {
    local out
    out=$(curl -I "$files/ten.bin" | tr -d '\r') || return 1
    grep -qi '^content-length: 10000000$' <<<"$out" && grep -qi '^accept-ranges: bytes$' <<<"$out" || { echo "$out"; return 1; }
}

parallel() {
    local n
    curl --parallel --parallel-max 20 -o "$work/copy#1" "$files/ten.bin?[1-20]" || return 1
    for n in $(seq 20); do
        cmp "$work/copy$n" "$directory/curl/ten.bin" || return 1
        rm "$work/copy$n"
    done
}

http10() { curl --http1.0 -o "$work/old" "$files/ten.bin" && cmp "$work/old" "$directory/curl/ten.bin"; }

# One after the other: this curl cannot share a connection that it only knows to be HTTP/2.
http2() {
    local known=(--http2-prior-knowledge -w '%{http_version} %{http_code}')
    equal "$(curl "${known[@]}" -o "$work/two" "$files/ten.bin")" '2 200' || return 1
    cmp "$work/two" "$directory/curl/ten.bin" || return 1
    equal "$(curl "${known[@]}" -r 100000-5099999 -o "$work/two" "$files/ten.bin")" '2 206' || return 1
    cmp "$work/two" <(tail -c +100001 "$directory/curl/ten.bin" | head -c 5000000) || return 1
    curl --http2-prior-knowledge --etag-save "$work/tag2" -o "$work/two" "$files/digits.txt" || return 1
    equal "$(curl "${known[@]}" --etag-compare "$work/tag2" -o "$work/two" "$files/digits.txt")" '2 304'
}

outside() {
    local path
    for path in ../../../etc/passwd %2e%2e/%2e%2e/%2e%2e/etc/passwd ..%2f..%2fetc/passwd /etc/passwd; do
        equal "$(curl --path-as-is -o /dev/null -w '%{http_code}' "$files/$path")" 404 || return 1
    done
}

check 'a whole one' whole
check 'ranges: first, from, last' range
check 'two ranges' ranges
check 'a range beyond the end is 416' beyond
check 'a download is resumed' resume
check 'by entity tag' etag
check 'by date' since
check 'compressed beforehand' compressed
check 'a folder without its slash' folder
check 'HEAD' head_only
check '20 at once' parallel
check 'HTTP/1.0' http10
check 'HTTP/2' http2
check 'paths that lead out are 404' outside
exit "$failed"
