#!/usr/bin/env python3
"""Look for secrets in everything that was ever committed: keys and tokens by their form, which no accident has.

Exit status 1 where something is found that ALLOWED does not explain. Usage: .ci/find_secrets.py [--self-test]
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:\\n|\s|\"|')*[A-Za-z0-9+/]{40}",
    "a sealing key": r"(?<![\w+/=-])[A-Za-z0-9_-]{43}=(?![\w=])",
    "a token of Vault": r"\bhv[sb]\.[A-Za-z0-9_-]{24,}",
    "a key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a token of GitHub": r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{60,}",
    "a token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{20,}",
    "a JSON web token": r"\beyJ[\w-]{12,}\.eyJ[\w-]{12,}\.[\w-]{12,}",
    "a password in an address": r"\b(?:postgres(?:ql)?|https?|ssh|amqp)://[^\s:/@\"'{}<>]+:(?!\*|password\b|secret\b|pw\b)[^\s@/\"'{}<>]{3,}@",
}
# Each with the reason why it is none. Matched against `path: line`.
ALLOWED = {
    r"^tests/platforms/": "recordings of systems with made-up keys, there to prove that they are masked",
    r"^\.ci/find_secrets\.py: .*u:hunter2@db": "the sample by which this scan proves that it can find one",
}
LONGEST = 400  # characters of a line that are looked at around a find


def lines() -> Iterator[tuple[str, str]]:
    """Every line that a commit of any branch has added, with its file."""
    command = ["git", "log", "--all", "--no-color", "--no-ext-diff", "--no-textconv", "-p", "-U0", "--format="]
    path = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE) as git:
        for raw in git.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip("\n")
            if line.startswith("+++ "):
                path = line.removeprefix("+++ ").removeprefix("b/")
            elif line.startswith("+"):
                yield path, line[1:]
    if git.returncode:
        sys.exit("git could not list the history.")


def found_in(texts: Iterator[tuple[str, str]]) -> Iterator[str]:
    """`path: what`, once each; never the secret itself."""
    every = re.compile("|".join(f"(?P<f{at}>{form})" for at, form in enumerate(FORMS.values())))
    names, seen = list(FORMS), set()
    for path, line in texts:
        hit = every.search(line)
        if hit is None or any(re.search(allowed, f"{path}: {line}") for allowed in ALLOWED):
            continue
        told = f"{path}: {names[int(str(hit.lastgroup)[1:])]} ({hit[0][:4]}..., {len(hit[0])} characters)"
        if told not in seen:
            seen.add(told)
            yield told


def self_test() -> None:
    """A scan that finds nothing must be one that could."""
    samples = ["hvs." + "A1" * 14, "AKIA" + "Z" * 16, "ghp_" + "a" * 36, "x" * 42 + "A=", "postgres://u:hunter2@db"]
    assert len(list(found_in((f"f{at}", text) for at, text in enumerate(samples)))) == len(samples)  # noqa: S101
    assert not list(found_in(iter([("f", "postgres://user:password@host:port/name")])))  # noqa: S101


if __name__ == "__main__":
    self_test()
    finds = list(found_in(lines()))
    print("\n".join(finds) or "No secret in any commit.")  # noqa: T201
    sys.exit(bool(finds))
