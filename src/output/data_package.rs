//! `datapackage.json` (Data Package v2) and `columns.csv`, both made from the tables' columns.

use serde_json::{Value, json};

use super::compression::Compression;
use super::manifest::FileEntry;
use super::tables::TableFile;
use crate::record::Table;

/// Name of the description in a results folder.
pub(super) const DATA_PACKAGE: &str = "datapackage.json";
/// Name of the dictionary of columns in a results folder.
pub(super) const COLUMNS: &str = "columns.csv";
/// How names of Parquet files end.
const PARQUET: &str = ".parquet";
/// The table that the rows of the others refer to.
const RUNS: &str = "runs";

const PACKAGE_PROFILE: &str = "https://datapackage.org/profiles/2.0/datapackage.json";
const RESOURCE_PROFILE: &str = "https://datapackage.org/profiles/2.0/dataresource.json";
const SCHEMA_PROFILE: &str = "https://datapackage.org/profiles/2.0/tableschema.json";

/// Makes the description of a folder's tables and of its dictionary.
pub(super) fn data_package(name: &str, tables: &[TableFile<'_>], dictionary: &FileEntry) -> String {
    let has_runs = tables.iter().any(|written| written.table.name == RUNS);
    let of_table = |written| table_resources(written, has_runs);
    let mut resources: Vec<Value> = tables.iter().flat_map(of_table).collect();
    let fields: Vec<Value> =
        DICTIONARY.iter().map(|(name, meaning)| field(name, "string", meaning, "")).collect();
    resources.push(resource("columns", "one column of one table", dictionary, &schema(&fields)));
    let package = json!({
        "$schema": PACKAGE_PROFILE,
        // The standard wants lower case here.
        "name": name.to_ascii_lowercase(),
        "title": format!("firesale: {name}"),
        "resources": resources,
    });
    let mut text = serde_json::to_string_pretty(&package).expect("a description has string keys only");
    text.push('\n');
    text
}

/// Describes a table in each of its forms.
fn table_resources(written: &TableFile<'_>, has_runs: bool) -> Vec<Value> {
    let table = written.table;
    let fields: Vec<Value> = table
        .columns
        .iter()
        .map(|column| field(column.name, column.kind.data_package_type(), column.meaning, column.unit))
        .collect();
    let mut schema = schema(&fields);
    let run = ["cell", "replicate"];
    if table.name == RUNS {
        schema["primaryKey"] = json!(run);
    } else if has_runs && written.per_run {
        schema["foreignKeys"] = json!([{ "fields": run, "reference": { "resource": RUNS, "fields": run } }]);
    }
    written.files.iter().map(|file| resource(table.name, table.title, file, &schema)).collect()
}

fn schema(fields: &[Value]) -> Value {
    json!({ "$schema": SCHEMA_PROFILE, "fields": fields, "missingValues": [""] })
}

fn field(name: &str, kind: &str, meaning: &str, unit: &str) -> Value {
    let mut field = json!({ "name": name, "type": kind, "description": meaning });
    if !unit.is_empty() {
        field["unit"] = json!(unit);
    }
    field
}

fn resource(name: &str, title: &str, file: &FileEntry, schema: &Value) -> Value {
    let mut resource = json!({
        "$schema": RESOURCE_PROFILE,
        "name": name,
        "title": title,
        "type": "table",
        "path": file.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": file.bytes,
        "hash": format!("sha256:{}", file.sha256),
        "schema": schema,
    });
    if file.path.ends_with(PARQUET) {
        // A name is of one file; what an encoding is to text, the format is to the bytes of this one.
        resource["name"] = json!(format!("{name}_parquet"));
        resource["format"] = json!("parquet");
        resource["mediatype"] = json!("application/vnd.apache.parquet");
        resource.as_object_mut().expect("it was made as one").remove("encoding");
    }
    // Size and sum are of the file as it lies there; type and encoding of what is packed in it.
    if let Some(form) = Compression::of(&file.path) {
        resource["compression"] = json!(form.ending());
    }
    resource
}

const DICTIONARY: [(&str, &str); 5] = [
    ("table", "name of the table"),
    ("column", "name of the column"),
    ("unit", "unit of its values; 1 for shares and counts, empty for text"),
    ("type", "field type as in datapackage.json"),
    ("meaning", "what it means"),
];

/// Makes the dictionary: a row for each column of each table.
pub(super) fn dictionary<'a>(tables: impl Iterator<Item = &'a Table<'a>>) -> String {
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    csv.write_record(DICTIONARY.map(|(name, _)| name)).expect("memory takes every row");
    for table in tables {
        for column in table.columns {
            let kind = column.kind.data_package_type();
            csv.write_record([table.name, column.name, column.unit, kind, column.meaning])
                .expect("memory takes every row");
        }
    }
    let bytes = csv.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("what was text stays text")
}

#[cfg(test)]
mod tests {
    use super::super::tables::tests::{RUNS, SERIES};
    use super::*;

    #[test]
    fn the_dictionary_has_a_row_a_column() {
        assert_eq!(
            dictionary([&SERIES].into_iter()),
            "table,column,unit,type,meaning\n\
             series,cell,1,integer,point of the design\n\
             series,replicate,1,integer,repetition with its own seeds\n\
             series,price_usd,USD,number,of a test\n"
        );
    }

    #[test]
    fn the_description_says_shape_size_and_sum_of_every_table() {
        let file = |path: &str| FileEntry { path: path.to_owned(), bytes: 9, sha256: "ab".to_owned() };
        let tables = [
            TableFile { table: &RUNS, files: vec![file("runs.csv")], per_run: true },
            TableFile {
                table: &SERIES,
                files: vec![file("series.csv.gz"), file("series.parquet")],
                per_run: true,
            },
        ];
        let text = data_package("Btc", &tables, &file("columns.csv"));
        let package: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(package["name"], "btc");
        let series = &package["resources"][1];
        assert_eq!((&series["bytes"], &series["hash"]), (&json!(9), &json!("sha256:ab")));
        let packed = [&series["path"], &series["compression"], &series["format"], &series["mediatype"]];
        assert_eq!(packed.map(|value| value.as_str().unwrap()), ["series.csv.gz", "gz", "csv", "text/csv"]);
        let parquet = &package["resources"][2];
        let of_parquet = [&parquet["name"], &parquet["path"], &parquet["format"]];
        assert_eq!(
            of_parquet.map(|value| value.as_str().unwrap()),
            ["series_parquet", "series.parquet", "parquet"]
        );
        assert_eq!((&parquet["schema"], parquet.get("encoding")), (&series["schema"], None));
        assert!(package["resources"][0].get("compression").is_none(), "a plain table has none");
        let price =
            json!({ "name": "price_usd", "type": "number", "description": "of a test", "unit": "USD" });
        assert_eq!(series["schema"]["fields"][2], price);
        assert_eq!(series["schema"]["foreignKeys"][0]["reference"]["resource"], "runs");
        assert_eq!(package["resources"][0]["schema"]["primaryKey"], json!(["cell", "replicate"]));
    }
}
