//! The exponential distribution: waiting times of a Poisson process. They are drawn at every turn of a run, so by the ziggurat
//! (Marsaglia and Tsang 2000) rather than by a logarithm: the area under exp(-x) is cut into 256 layers of one size, and a point
//! within the part of its layer that lies wholly below the curve, as 99 in 100 do, costs one word, one product and one comparison.

use super::uniform::open_share;
use super::{OpenUniform01, Uniform01};
use rand::Rng;
use rand::distr::Distribution;
use std::sync::LazyLock;

/// Layers, so many that one byte says which.
const LAYERS: usize = 256;
/// Where the tail begins, and the size of each layer: the solution of Marsaglia and Tsang (2000) for 256 of them.
const TAIL: f64 = 7.697_117_470_131_05;
const AREA: f64 = 0.003_949_659_822_581_557;

/// The layers from the lowest to the highest. By `libm` on every machine the same.
struct Layers {
    /// Right end of each; of the lowest what it would be if it were a rectangle.
    right: [f64; LAYERS + 1],
    /// Height of the curve at the right end, which is the lower side; the last is the top of the highest.
    height: [f64; LAYERS + 1],
}

static ZIGGURAT: LazyLock<Layers> = LazyLock::new(|| {
    let mut right = [0.0; LAYERS + 1];
    right[0] = AREA * libm::exp(TAIL);
    right[1] = TAIL;
    for layer in 2..LAYERS {
        let below = right[layer - 1];
        right[layer] = -libm::log(AREA / below + libm::exp(-below));
    }
    Layers { right, height: right.map(|right| libm::exp(-right)) }
});

/// Exponential with a rate: mean 1/rate, variance 1/rate^2. Draws of two rates from the same words differ by that factor alone.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    mean: f64,
}

impl Exponential {
    /// Makes the distribution with `rate` events a unit of time.
    ///
    /// # Panics
    /// Panics unless `rate` is positive and finite.
    pub fn new(rate: f64) -> Self {
        assert!(
            rate > 0.0 && rate.is_finite(),
            "the rate of an exponential is positive and finite, not {rate}"
        );
        Self { mean: 1.0 / rate }
    }
}

impl Distribution<f64> for Exponential {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let layers = &*ZIGGURAT;
        // The layer and the place in it from different bits of one word.
        let word = rng.next_u64();
        let layer = (word & (LAYERS as u64 - 1)) as usize;
        let x = open_share(word) * layers.right[layer];
        let x = if x < layers.right[layer + 1] { x } else { at_the_edge(layers, layer, x, rng) };
        x * self.mean
    }
}

/// Decides about a point that may lie above the curve, and draws others until one does not.
#[cold]
#[inline(never)]
fn at_the_edge<R: Rng + ?Sized>(layers: &Layers, mut layer: usize, mut x: f64, rng: &mut R) -> f64 {
    loop {
        if x < layers.right[layer + 1] {
            return x;
        }
        if layer == 0 {
            // The tail of an exponential is an exponential.
            return TAIL - libm::log(OpenUniform01.sample(rng));
        }
        let [low, high] = [layers.height[layer], layers.height[layer + 1]];
        if low + (high - low) * Uniform01.sample(rng) < libm::exp(-x) {
            return x;
        }
        let word = rng.next_u64();
        layer = (word & (LAYERS as u64 - 1)) as usize;
        x = open_share(word) * layers.right[layer];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::oracle::{Constant, assert_moments, assert_same_distribution, golden, rng};

    #[test]
    fn bits_are_stable() {
        golden(
            &Exponential::new(2.5),
            &[0x3fd7_a340_262d_3ab7, 0x3f9c_5faf_6387_1094, 0x3fdb_4581_398a_05e0],
        );
    }

    #[test]
    fn moments_are_those_of_the_exponential() {
        assert_moments(&Exponential::new(2.5), 0.4, 0.16, 9.0);
    }

    /// Every layer is as large as the lowest, tail included, and the highest ends at the top of the curve.
    #[test]
    fn the_layers_are_of_one_size_and_reach_the_top() {
        let Layers { right, height } = &*ZIGGURAT;
        assert!((TAIL * libm::exp(-TAIL) + libm::exp(-TAIL) - AREA).abs() < 1e-15);
        assert!((right[0] * height[1] - AREA).abs() < 1e-15);
        for layer in 1..LAYERS {
            assert!(right[layer + 1] < right[layer]);
            let area = right[layer] * (height[layer + 1] - height[layer]);
            assert!((area - AREA).abs() < 1e-14, "{layer}: {area}");
        }
        assert_eq!((right[LAYERS].to_bits(), height[LAYERS].to_bits()), (0, 1.0_f64.to_bits()));
    }

    /// A million draws: 1 in 2,202 beyond where the tail begins, and beyond it the same law again. Five standard errors.
    #[test]
    fn the_tail_is_an_exponential_too() {
        let (law, mut dice, draws) = (Exponential::new(1.0), rng(5), 1_000_000);
        let far: Vec<f64> = (0..draws).map(|_| law.sample(&mut dice)).filter(|x| *x > TAIL).collect();
        let expected = f64::from(draws) * libm::exp(-TAIL);
        assert!((far.len() as f64 - expected).abs() < 5.0 * expected.sqrt(), "{} of {expected}", far.len());
        let excess = far.iter().map(|x| x - TAIL).sum::<f64>() / far.len() as f64;
        assert!((excess - 1.0).abs() < 5.0 / (far.len() as f64).sqrt(), "{excess}");
        // The bins around the edges of the layers, where a fault of the layers would show.
        let mut dice = rng(6);
        let below = |x: f64| 1.0 - libm::exp(-x);
        let draws: Vec<f64> = (0..draws).map(|_| law.sample(&mut dice)).collect();
        for edge in [0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 7.0] {
            let share = draws.iter().filter(|x| **x < edge).count() as f64 / draws.len() as f64;
            let error = (below(edge) * (1.0 - below(edge)) / draws.len() as f64).sqrt();
            assert!((share - below(edge)).abs() < 5.0 * error, "{edge}: {share}, not {}", below(edge));
        }
    }

    #[test]
    fn it_is_above_zero_at_the_lowest_word() {
        let law = Exponential::new(1.0);
        assert!(law.sample(&mut Constant(0)) > 0.0);
        assert!(law.sample(&mut Constant(0xfe)) > 0.0);
    }

    #[test]
    fn the_oracle_agrees() {
        assert_same_distribution(&Exponential::new(2.5), &rand_distr::Exp::new(2.5).unwrap());
    }

    #[test]
    #[should_panic(expected = "positive and finite, not 0")]
    fn a_rate_of_nothing_is_refused() {
        Exponential::new(0.0);
    }
}
