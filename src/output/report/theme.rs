//! How the page looks: its style sheet, and what becomes of a drawing's colours on a dark screen. Paper is always light.

use super::super::figure::DARK;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");

/// Returns the style sheet. Drawings stay as they are in their files: their colours are replaced where they are shown.
pub(super) fn style() -> String {
    let mut css = STYLE.to_owned();
    css.push_str("@media screen and (prefers-color-scheme:dark){\n");
    for (light, dark) in DARK {
        for property in ["fill", "stroke"] {
            let (light, dark) = (hex(light), hex(dark));
            let _ = writeln!(css, "figure svg [{property}=\"{light}\"]{{{property}:{dark}}}");
        }
    }
    css.push_str("}\n");
    css
}

fn hex(color: plotters::style::RGBColor) -> String {
    format!("#{:02X}{:02X}{:02X}", color.0, color.1, color.2)
}
