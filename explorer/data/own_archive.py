"""Unpacking a user's zip of pictures: nothing leaves its folder, and nothing grows beyond what is allowed."""

import io
import shutil
import stat
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from explorer.errors import InvalidInput, OutputError

from .own_files import PICTURES

MAXIMUM_FILES, MAXIMUM_BYTES, MAXIMUM_RATIO = 50_000, 2 << 30, 200
KEPT = (*PICTURES, ".csv")
CHUNK = 1 << 20


def unpack(content: bytes, place: Path) -> Path:
    """The pictures and CSVs of a zip in a new folder at `place`, whole or not at all; returns the folder of the scenes, or the CSV at its top.

    Raises InvalidInput for what is no zip, a path out of the folder, a link, an encrypted file, too many files, or more bytes than allowed
    (counted as they come out, whatever the zip says of itself); OutputError where it cannot be written."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, OSError):
        raise InvalidInput("this is not a zip that can be read. Expected one with a folder of pictures for each scene, or with a CSV.") from None
    chosen = [entry for entry in archive.infolist() if not entry.is_dir() and _wanted(entry)]
    _check(archive.infolist(), chosen, len(content))
    temporary = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{place.name[:60]}.", dir=place.parent))
        left = MAXIMUM_BYTES
        for entry in chosen:
            target = temporary.joinpath(*PurePosixPath(entry.filename).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            left = _written(archive, entry, target, left)
        if not place.exists():
            temporary.rename(place)
    except OSError as error:
        raise OutputError(f"{place} could not be written: {error.strerror or error}. Free some space.") from error
    finally:
        if temporary is not None and temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
    return scenes_in(place)


def scenes_in(place: Path) -> Path:
    """A CSV at the top, else the folder of the scenes, which may lie in another that wraps all."""
    while True:
        if tables := sorted(place.glob("*.csv")):
            return tables[0]
        inside = [each for each in place.iterdir() if each.is_dir()]
        if len(inside) != 1 or any(each.is_file() for each in place.iterdir()) or not any(each.is_dir() or each.suffix.lower() == ".csv" for each in inside[0].iterdir()):
            return place
        place = inside[0]


def _wanted(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return PurePosixPath(entry.filename).suffix.lower() in KEPT and not any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts)


def _check(every: list[zipfile.ZipInfo], chosen: list[zipfile.ZipInfo], packed: int) -> None:
    for entry in every:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in (path.parts[0] if path.parts else ""):
            raise InvalidInput(f"the zip's entry {entry.filename[:80]!r} climbs out of its folder. Pack the pictures again, by names below one folder.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise InvalidInput(f"the zip's entry {entry.filename[:80]!r} is a link. Pack the picture itself.")
        if entry.flag_bits & 1:
            raise InvalidInput("the zip is encrypted. Pack it without a password.")
    if len(every) > MAXIMUM_FILES:
        raise InvalidInput(f"the zip has {len(every):,} files, at most {MAXIMUM_FILES:,} can be unpacked.")
    if not chosen:
        raise InvalidInput(f"the zip holds no pictures ({', '.join(PICTURES)}).")
    total = sum(entry.file_size for entry in chosen)
    if total > MAXIMUM_BYTES or total > MAXIMUM_RATIO * max(packed, 1):
        raise InvalidInput(f"the zip of {packed / 1e6:.1f} MB would unpack to {total / 1e6:,.0f} MB. At most {MAXIMUM_BYTES >> 30} GB and {MAXIMUM_RATIO} times its size are unpacked.")


def _written(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    """How many bytes may still come."""
    try:
        with archive.open(entry) as packed, open(target, "wb") as file:
            while part := packed.read(CHUNK):
                left -= len(part)
                if left < 0:
                    raise InvalidInput(f"the zip unpacks to more than {MAXIMUM_BYTES >> 30} GB, whatever it says of itself.")
                file.write(part)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as error:
        raise InvalidInput(f"the zip's entry {entry.filename[:80]!r} is damaged ({error}). Pack it again.") from None
    return left
