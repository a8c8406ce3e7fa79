#!/usr/bin/env python3
"""Forms of several parts from curl and requests.

usage: forms.py http://HOST:PORT
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile

import requests

from checks import check, equal, finish

BASE = sys.argv[1].rstrip("/")
URL = BASE + "/forms"
SMALL = b"\r\n--\r\n\0\xff"
LARGE = bytes(range(256)) * 4_000 + b"\r\n--"


def part(name, content, file=None, kind="text/plain"):
    return {"name": name, "file": file, "type": kind, "length": len(content), "sha1": hashlib.sha1(content).hexdigest()}


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*", *arguments, URL]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


for name, content in (("small", SMALL), ("large", LARGE)):

    @check(f"forms curl, a {name} file")
    def upload(content=content):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a \"b\" ü.bin")
            with open(path, "wb") as file:
                file.write(content)
            # In quotes, as curl reads `;` and `,` in names itself.
            got = curl("--form-string", "title=Sea; and hill", "-F", 'photo=@"' + path.replace('"', '\\"') + '";type=image/png')
        expected = [part("title", b"Sea; and hill"), part("photo", content, "a b ü.bin", "image/png")]
        equal(got["parts"], expected)
        equal(got["spooled"], len(content) > 65_536)

    @check(f"forms requests, a {name} file")
    def posted(content=content):
        files = {"photo": ("../ä\\b%22.bin", content, "image/png")}
        got = requests.post(URL, data={"title": "Sea"}, files=files).json()
        equal(got["parts"], [part("title", b"Sea"), part("photo", content, "b.bin", "image/png")])


@check("forms curl, without a length and asking before")
def chunked():
    got = curl("-F", "a=1", "-F", "b=@-;filename=x.txt", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue")
    equal(got["parts"], [part("a", b"1"), part("b", b"", "x.txt")])


@check("forms requests, what is none is refused")
def refused():
    answer = requests.post(URL, data={"a": "b"})
    equal((answer.status_code, answer.json()), (415, {"error": "not multipart/form-data"}))
    cut = requests.post(URL, data=b"--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"})
    equal(cut.status_code, 400)
    large = requests.post(URL, files={"photo": ("a", bytes((16 << 20) + 1))})
    equal((large.status_code, large.json()), (413, {"error": 'part "photo": the file is too large'}))


finish()
