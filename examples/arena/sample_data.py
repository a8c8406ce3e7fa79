#!/usr/bin/env python3
"""Makes data of the form that HttpArena mounts, to try the program without it.

usage: sample_data.py FOLDER

    FOLDER/dataset.json   50 items
    FOLDER/static/        20 files under the arena's names, those of text with .gz and, if
                          there is a module for it, .br beside them

The contents are made up here, and the same at each run; only names, types and sizes are
like the arena's.
"""

import gzip
import json
import random
import sys
from pathlib import Path

try:
    import brotlicffi as brotli
except ImportError:
    brotli = None

TEXT = {
    "reset.css": 8, "layout.css": 25, "theme.css": 18, "components.css": 200, "utilities.css": 60,
    "analytics.js": 12, "helpers.js": 22, "app.js": 200, "vendor.js": 300, "router.js": 35,
    "header.html": 120, "footer.html": 55, "logo.svg": 15, "icon-sprite.svg": 70, "manifest.json": 3,
}  # fmt: skip
BINARY = {"regular.woff2": 18, "bold.woff2": 22, "hero.webp": 45, "thumb1.webp": 8, "thumb2.webp": 6}
WORDS = "amber basin cedar delta ember fjord grove heath inlet jetty knoll ledge marsh north".split()
KINDS = ["tools", "books", "games", "garden"]


def item(number, chance):
    return {
        "id": number,
        "name": f"{chance.choice(WORDS)} {chance.choice(WORDS)}",
        "category": chance.choice(KINDS),
        "price": chance.randrange(5, 500),
        "quantity": chance.randrange(1, 100),
        "active": chance.random() < 0.7,
        "tags": chance.sample(WORDS, chance.randrange(1, 5)),
        "rating": {"score": chance.randrange(1, 50), "count": chance.randrange(1, 500)},
    }


def text(size, chance):
    lines = []
    while sum(map(len, lines)) < size:
        lines.append(f".{chance.choice(WORDS)}-{chance.randrange(100)} {{ {chance.choice(WORDS)}: {chance.randrange(9)}px }}\n")
    return "".join(lines)[:size].encode()


def make(folder):
    chance = random.Random(17)
    static = Path(folder) / "static"
    static.mkdir(parents=True, exist_ok=True)
    items = [item(number, chance) for number in range(1, 51)]
    (Path(folder) / "dataset.json").write_text(json.dumps(items, indent=2))
    for name, size in TEXT.items():
        content = text(size << 10, chance)
        (static / name).write_bytes(content)
        (static / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        if brotli:
            (static / f"{name}.br").write_bytes(brotli.compress(content))
    for name, size in BINARY.items():
        (static / name).write_bytes(chance.randbytes(size << 10))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(sys.argv[1])
