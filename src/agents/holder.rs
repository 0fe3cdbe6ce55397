//! The holder: has a position from the start and never trades. Hedgers and carry traders who are the other side of
//! seeded positions, and who owes the coins that others have at the start.

use super::{Actions, Decide, View, Wake};
use crate::rng::Rng;

/// Does nothing.
#[derive(Clone, Copy, Debug)]
pub struct Holder;

impl Decide for Holder {
    fn decide(&mut self, _wake: Wake, _view: &View<'_>, _rng: &mut Rng, _actions: &mut Actions) {}
}
