"""Small MovieLens folders in the four original formats, quirks included."""

import zipfile
from io import BytesIO
from pathlib import Path

FLAGS = "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror Musical"
FLAGS += " Mystery Romance Sci-Fi Thriller War Western"


def flags(*genres: str) -> str:
    return "|".join(str(int(genre in genres)) for genre in FLAGS.split())


U = {
    "u.data": "1\t1\t5\t881250949\n1\t3\t3\t881250949\n2\t2\t1\t881250950\n",
    "u.item": f"1|Toy Story (1995)|01-Jan-1995||http://x|{flags('Animation', 'Comedy')}\n"
    f"2|Misérables, Les (1995)|01-Jan-1995||http://y|{flags('Drama')}\n"
    f"3|unknown||||{flags('unknown')}\n"
    f"4|Land Before Time III: The Time of the Great Giving (1995) (V)|01-Jan-1995|||{flags('Animation')}\n",
    "u.user": "1|24|M|technician|05201\n2|53|F|other|V3N4P\n",
}
DAT = {
    "ratings.dat": "1::1::5::978300760\n1::3::3::978302109\n2::2::1::978301968\n",
    "movies.dat": "1::Toy Story (1995)::Animation|Children's|Comedy\n"
    "2::Misérables, Les (1995)::Drama\n"
    "3::2001: A Space Odyssey (1968)::Drama|Mystery|Sci-Fi|Thriller\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::16::70072-1234\n",
}
CSV = {
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.5,964982703\n1,11,0.5,964981247\n7,193609,4.0,964982224\n",
    "movies.csv": "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n"
    '11,"American President, The (1995)",Comedy|Drama|Romance\n'
    '193609,"He said ""no"" (1998)",(no genres listed)\n40697,Babylon 5,Sci-Fi\n',
}
ATOMIC = {
    "ml-100k.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "1\t1\t5\t881250949\n1\t3\t3\t881250949\n2\t2\t1\t881250950\n",
    "ml-100k.item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
    "1\tToy Story\t1995\tAnimation Comedy\n2\tMisérables, Les\t1995\tDrama\n3\tunkonwn\tunkonwn\tunknown\n"
    "4\tLand Before Time III: The Time of the Great Giving (1995)\tV\tAnimation\n",
    "ml-100k.user": "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
    "1\t24\tM\ttechnician\t05201\n2\t53\tF\tother\tV3N4P\n",
}
LATIN = ("u.item", "movies.dat", "users.dat")


def write(folder: Path, files: dict[str, str], **changed: str | None) -> Path:
    """The files in `folder`; `changed` replaces contents by name (dots as underscores), None leaves a file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        content = changed.get(name.replace(".", "_").replace("-", "_"), text)
        if content is not None:
            (folder / name).write_bytes(content.encode("latin-1" if name in LATIN else "utf-8"))
    return folder


CSV_FILES = {name: text.encode() for name, text in CSV.items()}


def zipped(files):
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"ml-latest-small/{name}", content)
    return buffer.getvalue()


def leftovers(home: Path) -> list[str]:
    return [path.name for path in (home / "data").iterdir() if path.is_dir()]
