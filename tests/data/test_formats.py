"""The MovieLens parsers on small files in the published formats, and on files broken in every way that has a name."""

import zipfile

import pytest
from movielens_files import ATOMIC, CSV, DAT, U, flags, write

from rec_lib.data.formats import DataError
from rec_lib.data.movielens import load
from rec_lib.data.sources import Unavailable


def test_the_100k_format_has_bars_latin_letters_and_flags(tmp_path):
    ml = load("ml-100k", write(tmp_path, U))
    assert ml.ratings.to_numpy().tolist() == [
        [1, 1, 5, 881250949],
        [1, 3, 3, 881250949],
        [2, 2, 1, 881250950],
    ]
    assert ml.items["title"].tolist() == [
        "Toy Story",
        "Misérables, Les",
        "unknown",
        "Land Before Time III: The Time of the Great Giving",
    ]
    assert ml.items["year"].tolist() == [1995, 1995, 0, 1995]
    assert ml.items["genres"].tolist() == [("Animation", "Comedy"), ("Drama",), ("unknown",), ("Animation",)]
    assert ml.users.loc[1].to_dict() == {"gender": "M", "age": 24, "occupation": "technician", "zip": "05201"}


def test_the_two_spellings_of_100k_are_one_data_set(tmp_path):
    one, other = load("ml-100k", write(tmp_path / "u", U)), load("ml-100k", write(tmp_path / "atomic", ATOMIC))
    assert one.ratings.equals(other.ratings)
    assert one.users.equals(other.users)
    assert one.items.equals(other.items)


def test_the_1m_format_has_double_colons_and_coded_ages(tmp_path):
    ml = load("ml-1m", write(tmp_path, DAT))
    assert ml.items["title"].tolist() == ["Toy Story", "Misérables, Les", "2001: A Space Odyssey"]
    assert ml.items["genres"].iloc[0] == ("Animation", "Children's", "Comedy")
    assert ml.users["zip"].tolist() == ["48067", "70072-1234"]
    assert ml.users["age"].tolist() == [1, 56]
    assert ml.users["occupation"].tolist() == ["10", "16"]


def test_the_latest_format_has_quotes_half_stars_and_no_demographics(tmp_path):
    ml = load("ml-latest-small", write(tmp_path, CSV))
    assert ml.ratings["rating"].tolist() == [4.5, 0.5, 4.0]
    assert ml.items.loc[11, "title"] == "American President, The"
    assert ml.items.loc[193609].tolist() == ['He said "no"', 1998, ()]
    assert ml.items.loc[40697, "year"] == 0
    assert ml.users.index.tolist() == [1, 7]
    assert list(ml.users.columns) == []


def test_a_zip_and_a_folder_above_the_files_do_as_well(tmp_path):
    folder = write(tmp_path / "ml-1m", DAT)
    with zipfile.ZipFile(tmp_path / "ml-latest-small.zip", "w") as archive:
        for name, text in CSV.items():
            archive.writestr(f"ml-latest-small/{name}", text)
    assert load("ml-1m", tmp_path).ratings.equals(load("ml-1m", folder).ratings)
    assert len(load("ml-latest-small", tmp_path).ratings) == 3
    assert len(load("ml-latest-small", tmp_path / "ml-latest-small.zip").ratings) == 3


BROKEN = {
    "empty file": (dict(u_data=""), "u.data is empty"),
    "only blank lines": (dict(u_data="\n\n"), "u.data is empty"),
    "wrong columns": (dict(u_data="1\t1\t5\n"), "has 3 columns; expected 4: user, item, rating, timestamp"),
    "another separator": (dict(u_data="1,1,5,881250949\n"), "has 1 columns"),
    "line with more columns": (dict(u_data="1\t1\t5\t881250949\n1\t3\t3\t881250949\t9\n"), "line 2"),
    "cut in a line": (dict(u_data="1\t1\t5\t881250949\n1\t3\n"), "line 2.*'rating' holds nothing"),
    "text for a number": (dict(u_data="1\t1\t5\t881250949\n1\tx\t3\t881250949\n"), "line 2.*'item' holds 'x'"),
    "half an id": (dict(u_data="1.5\t1\t5\t881250949\n"), "'user' holds '1.5'; expected a whole number"),
    "unknown item": (dict(u_data="1\t9\t5\t881250949\n"), r"names item 9.*run from 1 to 4"),
    "unknown user": (dict(u_data="0\t1\t5\t881250949\n"), "names user 0"),
    "off the scale": (dict(u_data="1\t1\t6\t881250949\n"), "is 6; the scale runs from 1 to 5"),
    "half a star": (dict(u_data="1\t1\t3.5\t881250949\n"), "is 3.5; the scale runs from 1 to 5 in steps of 1"),
    "no time": (dict(u_data="1\t1\t5\t0\n"), "timestamp 0"),
    "a pair twice": (dict(u_data="1\t1\t5\t881250949\n1\t1\t4\t881250950\n"), "repeats the pair user 1 and item 1"),
    "an item twice": (dict(u_item=f"1|A||||{flags()}\n1|B||||{flags()}\n"), "item table has an id below 1 or twice"),
    "no user file": (dict(u_user=None), "u.data without u.user"),
    "nothing but a line's end first": (dict(u_data="\n\t1|5\n"), "u.data cannot be read: No columns"),
    "a number beyond all ids": (dict(u_data=f"{'9' * 30}\t1\t5\t881250949\n"), "'user' holds '9.*a whole number"),
    "a number beyond all floats": (dict(u_data="1e400\t1\t5\t881250949\n"), "'user' holds 'inf'"),
    "age missing": (dict(u_user="1||M|technician|05201\n"), "line 1.*'age' holds nothing"),
}


@pytest.mark.parametrize(("changed", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_gives_one_clear_error(tmp_path, changed, message):
    with pytest.raises(DataError, match=message):
        load("ml-100k", write(tmp_path, U, **changed))


def test_a_header_line_is_counted_in_the_message(tmp_path):
    with pytest.raises(DataError, match="ratings.csv, line 2: column 'rating' holds 'five'"):
        load("ml-latest-small", write(tmp_path, CSV, ratings_csv="userId,movieId,rating,timestamp\n1,1,five,9\n"))
    with pytest.raises(DataError, match="ratings.csv is empty"):
        load("ml-latest-small", write(tmp_path, CSV, ratings_csv="userId,movieId,rating,timestamp\n"))


def test_a_file_in_another_encoding_is_refused(tmp_path):
    folder = write(tmp_path, ATOMIC)
    (folder / "ml-100k.item").write_bytes(ATOMIC["ml-100k.item"].encode("latin-1"))
    with pytest.raises(DataError, match="ml-100k.item cannot be read"):
        load("ml-100k", folder)


def test_a_cut_zip_a_folder_without_data_and_an_unknown_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "ml-1m.zip", "w") as archive:
        archive.writestr("ml-1m/ratings.dat", DAT["ratings.dat"] * 50)
    whole = (tmp_path / "ml-1m.zip").read_bytes()
    (tmp_path / "ml-1m.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unavailable, match="not a whole zip"):
        load("ml-1m", tmp_path)
    with pytest.raises(Unavailable, match="has no files of ml-100k"):
        load("ml-100k", tmp_path)
    with pytest.raises(ValueError, match="unknown data set 'ml-25m'; expected one of ml-100k, ml-1m"):
        load("ml-25m")
