//! What a drawing gets besides its lines: a name for screen readers, and what a pointer is told where it is.

use super::super::figure::Figure;
use maud::html;

/// Adds them to the drawing of a figure.
pub(super) fn dress(mut figure: Figure) -> Figure {
    let label = html! { svg role="img" aria-label=(format!("{}. {}", figure.title, figure.caption)) {} }
        .into_string();
    let label = label.strip_suffix("></svg>").expect("an element without content ends so");
    let said = html! {
        g {
            @for hit in &figure.hits {
                @let (x, y, width, height) = hit.place;
                rect class="hit" x=(x) y=(y) width=(width) height=(height) fill="none" pointer-events="all" {
                    title { (hit.text) }
                }
            }
        }
    };
    let end = figure.svg.rfind("</svg>").expect("a drawing ends");
    figure.svg.insert_str(end, &said.into_string());
    figure.svg = figure.svg.replacen("<svg", label, 1);
    figure
}
