//! The table that a benchmark prints and keeps: of each figure the median over its rounds, the least and the most.

/// One figure of one case.
pub(crate) struct Figure {
    pub(crate) section: &'static str,
    pub(crate) case: String,
    pub(crate) what: &'static str,
    pub(crate) unit: &'static str,
    /// By round, sorted.
    pub(crate) values: Vec<f64>,
}

impl Figure {
    /// Of an even number of values the upper middle one.
    pub(crate) fn median(&self) -> f64 {
        self.values[self.values.len() >> 1]
    }

    fn line(&self) -> String {
        let [least, median, most] = [self.values[0], self.median(), self.values[self.values.len() - 1]];
        format!(
            "{:<11}{:<32}{:<28}{median:>14.3} {:<20}{least:>14.3}{most:>14.3}",
            self.section, self.case, self.what, self.unit
        )
    }
}

/// All figures.
#[derive(Default)]
pub(crate) struct Table {
    figures: Vec<Figure>,
}

impl Table {
    /// Prints a figure and keeps it.
    pub(crate) fn add(
        &mut self,
        section: &'static str,
        case: &str,
        what: &'static str,
        unit: &'static str,
        mut values: Vec<f64>,
    ) {
        if self.figures.is_empty() {
            println!(
                "{:<11}{:<32}{:<28}{:>14} {:<20}{:>14}{:>14}",
                "section", "case", "figure", "median", "unit", "least", "most"
            );
        }
        values.sort_by(f64::total_cmp);
        let figure = Figure { section, case: case.to_owned(), what, unit, values };
        println!("{}", figure.line());
        self.figures.push(figure);
    }

    /// Writes the figures as CSV.
    pub(crate) fn write(&self, path: &str) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let mut writer = csv::Writer::from_path(&path).expect("results can be written");
        let header = ["section", "case", "figure", "unit", "median", "least", "most", "rounds"];
        writer.write_record(header).expect("a row is written");
        for figure in &self.figures {
            let number = |value: f64| format!("{value:.4}");
            let (least, most) = (figure.values[0], figure.values[figure.values.len() - 1]);
            let row = [
                figure.section,
                &figure.case,
                figure.what,
                figure.unit,
                &number(figure.median()),
                &number(least),
                &number(most),
                &figure.values.len().to_string(),
            ];
            writer.write_record(row).expect("a row is written");
        }
        writer.flush().expect("the file is written");
    }
}
