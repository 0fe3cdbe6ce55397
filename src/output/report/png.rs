//! The figures in pixels: the same drawings through `resvg`, with a font of our own so that every machine makes the same bytes.

use super::super::figure::Figure;
use super::ReportError;
use rayon::prelude::*;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Pixels for each unit in which a drawing is shown: fine enough for a sheet of paper.
const SCALE: f32 = 2.0;

/// Draws all figures.
pub(super) fn all(figures: &[Figure]) -> Result<Vec<Vec<u8>>, ReportError> {
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    fonts.set_sans_serif_family("Noto Sans");
    figures.par_iter().map(|figure| draw(figure, &options)).collect()
}

fn draw(figure: &Figure, options: &Options<'_>) -> Result<Vec<u8>, ReportError> {
    let failed = |why: String| ReportError::Pixels { name: figure.name.to_owned(), why };
    let tree = Tree::from_str(&figure.svg, options).map_err(|error| failed(error.to_string()))?;
    let size = tree.size();
    let [width, height] = [size.width(), size.height()].map(|length| (length * SCALE).ceil() as u32);
    let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed("it has no area".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(error.to_string()))
}
