"""The three things that are done with a remote: listing its refs, pushing to it, and fetching what is not ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from backups.errors import GitFailed, GitTooSlow
from backups.mirrors.login import Login, logged_in, own_directory
from backups.mirrors.models import Mirror
from backups.mirrors.refs import Move
from backups.remote.errors import RemoteError, RemoteFailed, RemoteRefused, RemoteStranger
from backups.store import layout
from backups.store.creation import initialise
from backups.store.git import Answer, Git

SECONDS = 600.0  # for one step; a first push of a large repository takes minutes
LISTING = 60.0
AT_ONCE = 500  # refs of one push: each is two arguments of some 100 bytes
FOREIGN_REF = "refs/foreign/one"
ANY = tuple(range(256))
# What git, OpenSSH and libcurl write, in the C locale, where a person has to look; all else may pass by itself.
STRANGER = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED")
REFUSALS = (
    "Permission denied",
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "not found",
    "does not appear to be a git repository",
    "does not exist",
    "The requested URL returned error: 40",
    "certificate",
    "remote error",
    "dubious ownership",
    "unable to update url base from redirection",
)


@dataclass
class Pushed:
    """What came of a push, ref by ref."""

    done: list[Move] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # ref -> what the remote said

    @property
    def overtaken(self) -> bool:
        """Whether somebody moved a ref there between our look and our push."""
        return any("stale info" in said for said in self.refused.values())


class Remote:
    """One mirror, as seen from a tenant's repository."""

    def __init__(self, mirror: Mirror, git: Git, login: Login) -> None:
        self.mirror = mirror
        self.git = git
        self.login = login

    def refs(self) -> dict[str, str]:
        """Every ref there. Raises RemoteError."""
        out = self.ask(self.git, "ls-remote", "--refs", "--quiet", "--", self.login.url, seconds=LISTING).out
        lines = (line.split("\t", 1) for line in out.decode("utf-8", "replace").splitlines() if "\t" in line)
        return {ref: commit for commit, ref in lines if layout.FULL_ID.match(commit)}

    def push(self, moves: Sequence[Move], git: Git | None = None) -> Pushed:
        """Move refs there, each on its own, and only from what it is taken for. Raises RemoteError."""
        result = Pushed()
        for some in chunks(moves):
            options = ["--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--no-thin"]
            asked = [*options, *(move.lease() for move in some), "--", self.login.url, *(one.refspec() for one in some)]
            self.read(self.ask(git or self.git, "push", *asked, seconds=SECONDS, may_fail=True), some, result)
        return result

    def read(self, answer: Answer, moves: Sequence[Move], result: Pushed) -> None:
        """The lines of `push --porcelain`: a mark, from:to, what was done. Raises RemoteError where there are none."""
        told = [line.split("\t") for line in answer.out.decode("utf-8", "replace").splitlines() if "\t" in line]
        said = {parts[1].rpartition(":")[2]: (parts[0], parts[2]) for parts in told if len(parts) == 3}
        if answer.status and not any(mark == "!" for mark, _ in said.values()):
            raise self.failure(answer)
        for move in moves:
            mark, text = said.get(move.ref, ("!", "it said nothing about it"))
            if mark == "!":
                result.refused[move.ref] = self.login.cleaned(text)[:200]
            else:
                result.done.append(move)

    def keep(self, foreign: dict[str, str]) -> dict[str, str]:
        """Give what others have put there a name of its own, so that nothing of theirs is lost; what could not be kept.

        It passes through a repository that is thrown away: what strangers write never gets into the tenant's.
        """
        failed: dict[str, str] = {}
        with own_directory(Path(settings.NETCAIRN_VAR)) as place:
            passing = place / "passing.git"
            passing.mkdir()
            initialise(passing)
            (passing / "objects" / "info" / "alternates").write_text(f"{self.git.path.absolute() / 'objects'}\n")
            for ref, commit in foreign.items():
                try:
                    self.keep_one(Git(passing), ref, commit)
                except RemoteError as error:
                    failed[ref] = str(error)
        return failed

    def keep_one(self, passing: Git, ref: str, commit: str) -> None:
        """One of them. Raises RemoteError."""
        options = ("--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--force")
        self.ask(passing, "fetch", *options, "--", self.login.url, f"{ref}:{FOREIGN_REF}", seconds=SECONDS)
        done = self.push([Move(layout.quarantine_ref(commit), commit, None)], passing)
        if done.refused:
            raise RemoteRefused(f"It does not take {layout.quarantine_ref(commit)}: {min(done.refused.values())}.")

    def ask(self, git: Git, subcommand: str, *arguments: str, seconds: float, may_fail: bool = False) -> Answer:
        """Run git against the remote. Raises RemoteError."""
        try:
            answer = git.run(subcommand, *arguments, seconds=seconds, expect=ANY, config=self.login.config)
        except GitTooSlow as exc:
            raise RemoteFailed(f"{self.mirror} did not come to an end in {seconds:g} s.") from exc
        except GitFailed as exc:
            raise RemoteFailed(self.login.cleaned(str(exc))) from exc
        if self.login.known_hosts and not answer.status:
            self.mirror.pin(self.login.presented())
        if answer.status and not may_fail:
            raise self.failure(answer)
        return answer

    def failure(self, answer: Answer) -> RemoteError:
        """What went wrong, as one of our errors, without a word of our secrets."""
        complaint = answer.complaint.decode("utf-8", "replace")
        if any(sign in complaint for sign in STRANGER):
            return self.stranger()
        lines = [line for line in complaint.splitlines() if line.strip()]
        told = next((line for line in lines if line.startswith(("fatal:", "error:", "remote:"))), "")
        others = [line for line in lines if not line.startswith(("fatal: Could not read", "Please make", "and the"))]
        said = self.login.cleaned(" ".join(others[:2]) or told)[:300] or "it did not say why"
        kind = RemoteRefused if any(sign in complaint for sign in REFUSALS) else RemoteFailed
        if "ssh: not found" in complaint or "cannot run ssh" in complaint:
            return RemoteRefused("There is no ssh on this machine's PATH: install OpenSSH's client.")
        return kind(f"The mirror at {self.mirror.url} failed: {said}")

    def stranger(self) -> RemoteStranger:
        """Another host key than the pinned one: seen once more without a secret at hand, to be shown to a person."""
        with logged_in(self.mirror, anonymous=True) as login:
            self.git.run("ls-remote", "--", login.url, seconds=LISTING, expect=ANY, config=login.config)
            presented = login.presented()
        return RemoteStranger(
            f"The mirror at {self.mirror.url} shows another host key than the pinned one; nothing was sent to it.",
            presented=presented,
        )


def chunks(moves: Sequence[Move]) -> Iterator[Sequence[Move]]:
    """The record first: it brings nearly all of the objects."""
    ordered = sorted(moves, key=lambda move: move.ref != layout.MAIN)
    return (ordered[at : at + AT_ONCE] for at in range(0, len(ordered), AT_ONCE))
