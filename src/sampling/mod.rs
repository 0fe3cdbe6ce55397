//! Samplers: how a generator's words become numbers of a stated distribution. Which generator is `rng`'s business.
//!
//! Every sampler implements [`Distribution`] and computes with `+ - * /`, `sqrt` and `libm` only, so that its bits are the
//! same on every platform and whatever features other crates switch on; `rand_distr` serves the tests as an oracle.
//! Samplers hold parameters and no state: the same generator gives the same number.
//!
//! All except [`Poisson`] with a mean of ten or more take exactly one word of the generator a draw, and the draw is
//! monotone in that word. Two runs with different parameters and the same generator therefore stay in step (common
//! random numbers).
//!
//! What can go wrong: a word has 64 bits and a uniform 52 or 53 of them, so events of probability below 2^-53 never
//! happen. A normal draw stays within 8.3 standard deviations and an exponential one within 37 means.

mod bernoulli;
mod choice;
mod exponential;
mod geometric;
mod log_normal;
mod normal;
mod pareto;
mod poisson;
mod uniform;
mod weighted;

#[cfg(test)]
mod oracle;

pub use bernoulli::Bernoulli;
pub use choice::{below, happens, uniform};
pub use exponential::Exponential;
pub use geometric::Geometric;
pub use log_normal::LogNormal;
pub use normal::{Normal, normal_quantile};
pub use pareto::Pareto;
pub use poisson::Poisson;
pub use rand::distr::Distribution;
pub use uniform::{OpenUniform01, Uniform01};
pub use weighted::Weighted;
