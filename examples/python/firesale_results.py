"""Reads a results folder of firesale by its datapackage.json: typed rows, or frames of pandas or polars.

    import firesale_results as fr

    results = fr.open_results("firesale-out/long-squeeze-1a2b3c4d")
    results.tables                      # names of the tables
    results.pandas("series")            # a pandas.DataFrame
    results.polars("series")            # a polars.DataFrame
    results.rows("runs")                # a list of dicts; needs neither
    results.describe("runs")            # name, type, unit and meaning of every column

Whole numbers are integers, also where cells are empty (Int64), numbers are floats, an empty cell is a missing value and
never 0 or NaN text. Tables that were written with `--compress gz` or `zstd` are read as the others; for the latter `zstandard` is
needed where Python is older than 3.14. Where there is Parquet beside a table, frames are made from it (pandas needs pyarrow for
that, and takes the CSV without). Tables with `time_s` get a column `time`: the instant, in UTC, from the start that the scenario states.
Only the standard library is needed; pandas and polars are imported when asked for. Python 3.11 or later.
"""

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import tomllib
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

_INSTANT = "time_s"


def _unpacked(path, compression):
    """A file of bytes, unpacked."""
    if compression is None:
        return path.open("rb")
    if compression == "gz":
        return gzip.open(path)
    if compression != "zst":
        raise ValueError(f"{path} is packed as {compression}, which this reader does not know")
    try:
        from compression import zstd
    except ImportError:
        try:
            import zstandard as zstd
        except ImportError:
            raise ImportError(f"{path} is packed as Zstandard: install zstandard, or Python 3.14 or later") from None
    return zstd.open(path, "rb")


class Results:
    """One results folder. Nothing is read before it is asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        package = self.folder / "datapackage.json"
        if not package.is_file():
            raise FileNotFoundError(f"{self.folder} has no datapackage.json: is it a finished results folder?")
        resources = json.loads(package.read_text("utf-8"))["resources"]
        self._resources = {r["name"]: r for r in resources if r["format"] == "csv"}
        self._parquet = {r["name"].removesuffix("_parquet"): r for r in resources if r["format"] == "parquet"}
        self.tables = list(self._resources)

    def _resource(self, table):
        try:
            return self._resources[table]
        except KeyError:
            raise KeyError(f"no table {table!r} in {self.folder}; there are {', '.join(self.tables)}") from None

    def _fields(self, table):
        return self._resource(table)["schema"]["fields"]

    def path(self, table):
        """The CSV file of a table, once its SHA-256 is as it was when the folder was sealed."""
        return self._checked(self._resource(table))

    def _checked(self, resource):
        path = self.folder / resource["path"]
        with path.open("rb") as file:
            found = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        if found != resource["hash"]:
            raise ValueError(f"{path} was changed after it was made")
        return path

    def _open(self, table):
        """The CSV of a table as a file of bytes, whatever its form."""
        return _unpacked(self.path(table), self._resource(table).get("compression"))

    def describe(self, table):
        """Name, type, unit and meaning of every column."""
        return [(f["name"], f["type"], f.get("unit", ""), f["description"]) for f in self._fields(table)]

    @property
    def start(self):
        """The instant that time zero stands for."""
        with (self.folder / "scenario.toml").open("rb") as file:
            start = tomllib.load(file)["start"]
        if isinstance(start, str):
            start = datetime.fromisoformat(start)
        return start.astimezone(timezone.utc)

    def rows(self, table):
        """The rows as dicts of int, float, str or None; `time` as datetime, which keeps microseconds."""
        readers = {f["name"]: {"integer": int, "number": float}.get(f["type"], str) for f in self._fields(table)}
        start = self.start if _INSTANT in readers else None
        rows = []
        with io.TextIOWrapper(self._open(table), encoding="utf-8", newline="") as file:
            for cells in csv.DictReader(file):
                row = {name: None if cells[name] == "" else read(cells[name]) for name, read in readers.items()}
                if start is not None and row[_INSTANT] is not None:
                    # Through a decimal, so that 0.1 s is 100,000 microseconds and not one less.
                    row["time"] = start + timedelta(microseconds=int(Decimal(cells[_INSTANT]) * 1_000_000))
                rows.append(row)
        return rows

    def pandas(self, table):
        """The table as a pandas.DataFrame."""
        import pandas as pd

        kinds = {"integer": "Int64", "number": "float64"}
        dtypes = {f["name"]: kinds.get(f["type"], "string") for f in self._fields(table)}
        if table in self._parquet and importlib.util.find_spec("pyarrow"):
            # Through its own missing values, since a whole number beside an empty cell is no float.
            path = self._checked(self._parquet[table])
            frame = pd.read_parquet(path, engine="pyarrow", dtype_backend="numpy_nullable").astype(dtypes)
        else:
            with self._open(table) as file:
                frame = pd.read_csv(file, dtype=dtypes, keep_default_na=False, na_values=[""])
        if _INSTANT in frame:
            nanoseconds = (frame[_INSTANT] * 1e9).round().astype("Int64")
            frame["time"] = pd.Timestamp(self.start) + pd.to_timedelta(nanoseconds, unit="ns")
        return frame

    def polars(self, table):
        """The table as a polars.DataFrame."""
        import polars as pl

        kinds = {"integer": pl.Int64, "number": pl.Float64}
        schema = {f["name"]: kinds.get(f["type"], pl.String) for f in self._fields(table)}
        if table in self._parquet:
            frame = pl.read_parquet(self._checked(self._parquet[table]))
        else:
            with self._open(table) as file:
                frame = pl.read_csv(file.read(), schema=schema, null_values=[""])
        if _INSTANT in frame.columns:
            nanoseconds = (pl.col(_INSTANT) * 1e9).round().cast(pl.Int64)
            start = pl.lit(self.start).dt.cast_time_unit("ns")
            frame = frame.with_columns((start + nanoseconds.cast(pl.Duration("ns"))).alias("time"))
        return frame


def open_results(folder):
    """Opens a results folder of any verb."""
    return Results(folder)
