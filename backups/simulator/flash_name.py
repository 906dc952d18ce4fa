"""How the name of a file on flash is written."""

DIRECTORIES = ("mnt/flash/", "flash/", "var/tmp/", "var/home/", "config/")


def flash_name(path: str) -> str:
    """The bare name of a file, however its file system was written: `flash:x`, `/mnt/flash/x`, `/x`, `x`."""
    bare = path.rpartition(":")[2].lstrip("/")
    for directory in DIRECTORIES:
        bare = bare.removeprefix(directory)
    return bare.rstrip("/")
