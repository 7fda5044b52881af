"""The knowledge graph of MovieLens-100K's films: who directed, wrote and played, as triples of Freebase.

`knowledge()` takes the two files from the first place that has them:

    1. the folder `REC_LIB_DATA`, if that variable is set, or beside it    2. the cache, `.course/data` of the clone
    3. the PyPI wheel recbole==1.2.1, which carries them beside its copy of MovieLens-100K

Its own data set, optional: nothing else in the course needs it. Entities are numbers of Freebase ("m.02vxxgs"), which is
closed, so they have no names; 84 films are linked to none. A SHA-256 over the sorted triples and links decides that it
is the same data.

Source  Zhao et al., "KB4Rec: A Data Set for Linking Knowledge Bases with Recommender Systems", Data Intelligence 2019,
        arXiv:1807.11141; RecBole, MIT licence.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from rec_lib.data import sources
from rec_lib.data.cache import cached
from rec_lib.data.formats import DataError
from rec_lib.data.sources import Unavailable
from rec_lib.paths import named_by

NAME, FILES = "ml-100k-kg", ("ml-100k.kg", "ml-100k.link")
HEADERS = ("head_id:token\trelation_id:token\ttail_id:token", "item_id:token\tentity_id:token")
SHA256 = "b949982ea628820867e2ba4b3e07c28ee2ea8265b75f2c8ccbd6f200f90d7314"
TERMS = (
    "The knowledge graph of MovieLens-100K comes from KB4Rec (Freebase, CC BY 2.5) as RecBole carries it. "
    "Cite Zhao et al., KB4Rec, Data Intelligence 1(2), 2019."
)
RELATIONS = {
    "director": "film.film.directed_by",
    "writer": "film.film.written_by",
    "actor": "film.film.actor",
    "country": "film.film.country",
    "company": "film.film.production_companies",
}


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Entities of films.

    triples  (head, relation, tail) as in the file, each once, sorted
    entity   raw item id -> its entity, for the films that have one
    """

    triples: tuple[tuple[str, str, str], ...] = field(repr=False)
    entity: dict[int, str] = field(repr=False)

    def of(self, kind: str) -> dict[int, tuple[str, ...]]:
        """Raw item id -> the film's entities of this kind, sorted; films without any are left out.

        kind  director, writer, actor, country or company. Raises KeyError for another.
        """
        if kind not in RELATIONS:
            raise KeyError(f"no kind {kind!r}; expected one of {', '.join(RELATIONS)}")
        tails: dict[str, list[str]] = {}
        for head, relation, tail in self.triples:
            if relation == RELATIONS[kind]:
                tails.setdefault(head, []).append(tail)
        return {item: tuple(tails[entity]) for item, entity in self.entity.items() if entity in tails}


def knowledge() -> Knowledge:
    """The knowledge graph, fetched and cached at the first call.

    Raises Unavailable where no place has the files, DataError (a ValueError) where they are not the published ones.
    """
    given = named_by("REC_LIB_DATA")
    places = [given / NAME, given, given.parent / NAME] if given else []  # the last: `given` is the folder of ml-100k
    places = [place for place in places if all((place / file).is_file() for file in FILES)]
    folder = places[0] if places else cached(NAME, _fetch, TERMS)
    try:
        content = {file: (folder / file).read_bytes() for file in FILES}
    except OSError as error:
        raise Unavailable(f"{folder} cannot be read ({error}). Check who may read it, or delete the folder.") from error
    return _parse(content, f"{folder} (delete it: it is fetched anew)")


def fingerprint(graph: Knowledge) -> str:
    """SHA-256 (hex) over the sorted triples and the sorted links."""
    rows = ["\t".join(triple) for triple in graph.triples]
    rows += [f"{item}\t{entity}" for item, entity in sorted(graph.entity.items())]
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def _fetch() -> dict[str, bytes]:
    try:
        content = _members(sources.wheel(sources.WHEEL))
    except Unavailable as error:
        raise Unavailable(
            f"the knowledge graph cannot be fetched: {error}. Connect to the network and run this again, or set "
            f"REC_LIB_DATA to a folder that holds {' and '.join(FILES)}."
        ) from error
    _parse(content, sources.WHEEL)
    return content


def _members(wheel: bytes) -> dict[str, bytes]:
    """The two files, read from the wheel by name; nothing is unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(wheel)) as archive:
            inside = {Path(member).name: member for member in archive.namelist()}
            return {file: archive.read(inside[file]) for file in FILES}
    except (*sources.BROKEN_ZIP, KeyError) as error:
        raise Unavailable(f"{sources.WHEEL} does not hold {' and '.join(FILES)} ({error})") from error


def _parse(content: dict[str, bytes], where: str) -> Knowledge:
    tables = [_rows(content[file], file, header, where) for file, header in zip(FILES, HEADERS, strict=True)]
    triples = tuple(sorted({(row[0], row[1], row[2]) for row in tables[0]}))
    graph = Knowledge(triples, {int(item): entity for item, entity in tables[1]})
    if (got := fingerprint(graph)) != SHA256:
        raise DataError(f"{where}: the content's SHA-256 is {got}, expected {SHA256}. It was edited or cut short.")
    return graph


def _rows(content: bytes, file: str, header: str, where: str) -> list[list[str]]:
    """The rows below a header. Raises DataError that names the first line of another form."""
    try:
        first, *lines = content.decode("utf-8").splitlines()
    except (UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{where}: {file} is empty or no UTF-8 text ({error}).") from error
    width = header.count("\t") + 1
    rows = [line.split("\t") for line in lines]
    wrong = [number for number, row in enumerate(rows, start=2) if len(row) != width]
    if first != header or wrong:
        line = f"line {wrong[0]} has not {width} columns" if first == header else f"its header is {first[:80]!r}"
        raise DataError(f"{where}: {file}: {line}; expected the columns {header.split()}.")
    if width == 2 and not all(row[0].isdigit() for row in rows):
        raise DataError(f"{where}: {file} has an item id that is no number.")
    return rows
