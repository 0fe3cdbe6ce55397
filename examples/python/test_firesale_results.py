"""Tests of the reader. FIRESALE_RESULTS names a folder that `firesale run` filled with two replicates; `cargo test` makes one
with tables of each form.

Where pandas or polars is not installed, its test says so and is skipped, unless FIRESALE_FRAMES is set: then it fails.
"""

import importlib.util
import os
import shutil
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from firesale_results import open_results

FOLDER = Path(os.environ["FIRESALE_RESULTS"])


def needs(package):
    is_there = importlib.util.find_spec(package) is not None or "FIRESALE_FRAMES" in os.environ
    return unittest.skipUnless(is_there, f"{package} is not installed")


class Reader(unittest.TestCase):
    def setUp(self):
        self.results = open_results(FOLDER)

    def test_rows_are_typed(self):
        runs = self.results.rows("runs")
        self.assertEqual([(run["cell"], run["replicate"]) for run in runs if run["cell"] == 0], [(0, 0), (0, 1)])
        for run in runs:
            self.assertIs(type(run["liquidations"]), int)
            self.assertIs(type(run["drawdown_pct"]), float)
            self.assertEqual(run["outcome"], "finished")
            self.assertIsNone(run["basis_bps_mean"], "there is no index, so no basis")

    def test_times_are_instants(self):
        series = self.results.rows("series")
        self.assertEqual(series[0]["time"], datetime(2026, 1, 1, tzinfo=timezone.utc))
        self.assertEqual(series[1]["time"] - series[0]["time"], timedelta(seconds=5))

    def test_every_table_is_described_and_read(self):
        self.assertIn("liquidations", self.results.tables)
        for table in self.results.tables:
            names = [name for name, _, _, _ in self.results.describe(table)]
            for row in self.results.rows(table)[:1]:
                self.assertEqual([name for name in row if name != "time"], names)
        units = {name: unit for name, _, unit, _ in self.results.describe("runs")}
        self.assertEqual((units["drawdown_pct"], units["volume_usd"]), ("%", "USD"))

    def test_what_is_not_there_is_said(self):
        with self.assertRaisesRegex(KeyError, "no table 'run'.*runs"):
            self.results.rows("run")
        with self.assertRaisesRegex(FileNotFoundError, "no datapackage.json"):
            open_results(FOLDER / "nowhere")

    def test_a_table_that_was_changed_is_refused(self):
        with tempfile.TemporaryDirectory() as place:
            copy = Path(shutil.copytree(FOLDER, Path(place) / "copy"))
            path = self.results.path("runs").name
            with (copy / path).open("a") as file:
                file.write("9,9\n")
            with self.assertRaisesRegex(ValueError, f"{path} was changed"):
                open_results(copy).rows("runs")

    @needs("pandas")
    def test_pandas_has_the_same_values(self):
        for table in self.results.tables:
            frame = self.results.pandas(table)
            rows = self.results.rows(table)
            self.assertEqual(len(frame), len(rows), table)
            for name, kind, _, _ in self.results.describe(table):
                wanted = {"integer": "Int64", "number": "float64"}.get(kind, "string")
                self.assertEqual(str(frame[name].dtype), wanted, f"{table}.{name}")
                found = [None if cell else value for value, cell in zip(frame[name], frame[name].isna())]
                self.assertEqual(found, [row[name] for row in rows], f"{table}.{name}")
        series = self.results.pandas("series")
        self.assertEqual(str(series["time"].dt.tz), "UTC")
        self.assertEqual(list(series["time"]), [row["time"] for row in self.results.rows("series")])

    @needs("polars")
    def test_polars_has_the_same_values(self):
        import polars as pl

        for table in self.results.tables:
            frame = self.results.polars(table)
            rows = self.results.rows(table)
            self.assertEqual(len(frame), len(rows), table)
            for name, kind, _, _ in self.results.describe(table):
                wanted = {"integer": pl.Int64, "number": pl.Float64}.get(kind, pl.String)
                self.assertEqual(frame.schema[name], wanted, f"{table}.{name}")
                self.assertEqual(frame[name].to_list(), [row[name] for row in rows], f"{table}.{name}")
        series = self.results.polars("series")
        self.assertEqual(series.schema["time"], pl.Datetime("ns", "UTC"))
        self.assertEqual(series["time"].to_list(), [row["time"] for row in self.results.rows("series")])


if __name__ == "__main__":
    unittest.main()
