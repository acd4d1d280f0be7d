#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the house from its text: a folder of src/ includes only from floors below its own.

    floors.py ROOT     exit status 1 and a line for each broken rule
    floors.py --self   makes small houses, whole and broken, and checks that each rule notices

The floors are those of docs/design.md, lowest first; folders on one floor do not include each other. Also: no source file
over 600 lines, and the licence line first in every one.
"""
import pathlib
import re
import sys
import tempfile

FLOORS = ["base", "kernels cluster", "data text device sample", "model", "cf content gpt2", "hybrid", "store eval",
          "serve tune", "api", "cli"]
FLOOR = {name: height for height, names in enumerate(FLOORS) for name in names.split()}
BLIND = {"eval", "tune", "serve"}  # see models through model/model.h only
MODELS = {"cf", "content", "gpt2"}
LONGEST = 600
SOURCES = ("*.c", "*.h", "*.cpp", "*.cu", "*.py", "*.sh")


def included(path):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
        if found:
            yield number, found.group(1)


def floor_faults(root):
    for path in sorted((root / "src").rglob("*.[ch]*")):
        home = path.relative_to(root / "src").parts[0]
        if home not in FLOOR:
            yield f"{path}: src/{home} is on no floor; add it to tests/house/floors.py and docs/design.md"
            continue
        for number, name in included(path):
            where = name.split("/")[0]
            if name == "tandem.h" or where == home:
                continue
            if home == "cli":
                yield f"{path}:{number}: includes {name}; the program sees the library through tandem.h only"
            elif where not in FLOOR:
                yield f"{path}:{number}: includes {name}, which is no folder of src/"
            elif FLOOR[where] >= FLOOR[home]:
                yield f"{path}:{number}: includes {name}, but {where} is not below {home}"
            elif home in BLIND and where in MODELS:
                yield f"{path}:{number}: includes {name}, but {home} sees models through model/model.h only"


def file_faults(root):
    for folder in ("include", "src", "tests", "fuzz", "bench", "tools"):
        for pattern in SOURCES:
            for path in sorted((root / folder).rglob(pattern)):
                lines = path.read_text(encoding="utf-8").splitlines()
                if len(lines) > LONGEST:
                    yield f"{path}: {len(lines)} lines; over {LONGEST} there are two ideas inside"
                if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:2]):
                    yield f"{path}: has no SPDX licence line"


def faults(root):
    return [*floor_faults(root), *file_faults(root)]


def self_test():
    licence = "/* SPDX-License-Identifier: Apache-2.0 */\n"
    cases = [  # file, text, what must be said of it ("" for nothing)
        ("src/cf/a.c", licence + '#include "model/model.h"\n#include "base/mem.h"\n#include "cf/cf.h"\n', ""),
        ("src/base/a.c", licence + '#include "tandem.h"\n', ""),
        ("src/model/a.c", licence + '#include "cf/cf.h"\n', "cf is not below model"),
        ("src/cf/a.c", licence + '#include "gpt2/items.h"\n', "gpt2 is not below cf"),
        ("src/eval/a.c", licence + '#include "cf/cf.h"\n', "eval sees models through model/model.h only"),
        ("src/cli/a.c", licence + '#include "base/mem.h"\n', "through tandem.h only"),
        ("src/cf/a.c", licence + '#include "rows.h"\n', "no folder of src/"),
        ("src/attic/a.c", licence, "on no floor"),
        ("src/cf/a.c", licence + "\n" * 600, "two ideas inside"),
        ("src/cf/a.c", "int x;\n", "no SPDX licence line"),
    ]
    bad = 0
    for name, text, expected in cases:
        with tempfile.TemporaryDirectory() as root:
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            said = faults(pathlib.Path(root))
            good = not said if not expected else len(said) == 1 and expected in said[0]
            if not good:
                print(f"self: {name} should give {expected or 'nothing'!r}, gave {said}")
                bad += 1
    print(f"{len(cases)} houses, {bad} misjudged")
    return bad


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: floors.py ROOT | --self")
    if sys.argv[1] == "--self":
        sys.exit(1 if self_test() else 0)
    found = faults(pathlib.Path(sys.argv[1]))
    print("\n".join(found) or "every include goes down")
    sys.exit(1 if found else 0)
