//! Seeds and random streams: which generator every draw comes from. How a draw becomes a number is `sampling`'s business.
//!
//! 1. A [`Seed`] names one run: the master seed of the study and the number of the replicate. The configuration is *not*
//!    part of it, so two runs that differ in one mechanism see the same randomness (common random numbers).
//! 2. [`Seed::stream`] derives a [`Stream`] for a purpose, by name. Streams of different names are unrelated, so a new
//!    user of randomness moves nobody else's draws.
//! 3. [`Stream::draw`] makes the generator of one wake of one agent. It is a function of its arguments and stores
//!    nothing: how often others have drawn, and in which order, cannot matter.
//!
//! What can go wrong: drawing twice with the same agent and wake gives the same numbers twice. Make one generator a wake
//! and take everything the wake needs from it.

use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;

/// Name of the scheme that turns seeds into draws; it is hashed into every stream and written into every manifest.
/// Raised with any change of this file or of `sampling` that moves a draw.
pub const SCHEME: &str = "firesale-1";

/// The generator of one wake: xoshiro256++ (Blackman and Vigna 2021), portable by name, 32 bytes.
pub type Rng = Xoshiro256PlusPlus;

/// What makes one run's randomness: every draw is a function of these two numbers, a name and counters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Seed {
    /// Seed of the study, any value.
    pub master: u64,
    /// Number of the replicate within the study, from 0.
    pub replicate: u32,
}

impl Seed {
    /// Derives the stream of a purpose, such as `"fundamental"` or `"noise-traders"`.
    ///
    /// The key is the first 128 bits of BLAKE3 over scheme, a zero byte, master (8 bytes) and replicate (4 bytes), both
    /// little endian, and the name. Costs about 200 ns: make streams at setup and keep them.
    pub fn stream(self, name: &str) -> Stream {
        let mut hasher = blake3::Hasher::new();
        hasher.update(SCHEME.as_bytes());
        hasher.update(&[0]);
        hasher.update(&self.master.to_le_bytes());
        hasher.update(&self.replicate.to_le_bytes());
        hasher.update(name.as_bytes());
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        let (low, high) = bytes.split_at(8);
        let word = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes is 8"));
        Stream { key: [word(low), word(high)] }
    }
}

/// The key of a named stream: a family of unrelated generators, one for each agent and wake.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stream {
    key: [u64; 2],
}

impl Stream {
    /// Makes the generator of an agent's wake, in about 10 ns and without any stored state.
    ///
    /// `agent` is any index within the stream and `wake` any counter; both may take all values. Within a stream no two
    /// (agent, wake) pairs share a generator: the first two words of its state determine the pair.
    #[inline]
    #[must_use]
    pub fn draw(self, agent: u64, wake: u64) -> Rng {
        // Two layers of mixing, four words side by side: a deeper chain would cost twice the time. Sums with one and two
        // times the wake can be solved for both halves, which is why no pair of arguments meets another.
        let a = mix(self.key[0].wrapping_add(agent));
        let b = mix(self.key[1].wrapping_add(wake));
        let state = [
            mix(a.wrapping_add(b)),
            mix(a.wrapping_add(b).wrapping_add(b)),
            mix(a ^ b.rotate_left(32)),
            mix(b ^ a.rotate_left(24)),
        ];
        let mut bytes = [0; 32];
        for (slot, word) in bytes.chunks_exact_mut(8).zip(state) {
            slot.copy_from_slice(&word.to_le_bytes());
        }
        Rng::from_seed(bytes)
    }

    /// Makes the one generator for draws that belong to no agent and no wake, such as the setup of a population.
    #[must_use]
    pub fn sequence(self) -> Rng {
        // A key of its own keeps it apart from every `draw`, whatever agents and wakes a caller numbers.
        let key = self.key.map(|word| mix(word ^ APART));
        Self { key }.draw(0, 0)
    }
}

/// 2^64 divided by the golden ratio: a constant without structure.
const APART: u64 = 0x9e37_79b9_7f4a_7c15;

/// Scrambles 64 bits reversibly: Stafford's variant 13 of the murmur3 finaliser, as in SplitMix64 (Steele, Lea and Flood
/// 2014).
#[inline]
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;
    use std::collections::BTreeSet;

    const SEED: Seed = Seed { master: 20_260_223, replicate: 0 };

    fn first(stream: Stream, agent: u64, wake: u64) -> u64 {
        stream.draw(agent, wake).next_u64()
    }

    /// Correlation of two series of words read as uniforms.
    fn correlation(pairs: impl Iterator<Item = (u64, u64)>) -> f64 {
        let centred = |word: u64| (word >> 11) as f64 / 9_007_199_254_740_992.0 - 0.5;
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, b) in pairs {
            sum += centred(a) * centred(b);
            count += 1.0;
        }
        12.0 * sum / count
    }

    #[test]
    fn values_are_stable() {
        let stream = SEED.stream("golden");
        assert_eq!(stream.key, [0xa32f_2070_096e_8a09, 0xb03c_c729_ad0e_44d5]);
        let words = |mut rng: Rng| [rng.next_u64(), rng.next_u64()];
        assert_eq!(words(stream.draw(0, 0)), [0xafea_8b55_c728_33a1, 0x2333_277e_1376_6930]);
        assert_eq!(words(stream.draw(7, 1_000_000)), [0x6c1c_091f_0ed5_2979, 0x6df9_f775_a3b7_c095]);
        assert_eq!(words(stream.draw(u64::MAX, u64::MAX)), [0x14af_fc47_e8e1_6c6b, 0xe96b_4275_453e_d0b7]);
        assert_eq!(words(stream.sequence()), [0x954b_a2ba_24ea_511e, 0x942f_f797_cc91_795a]);
    }

    #[test]
    fn the_same_arguments_give_the_same_generator() {
        assert_eq!(SEED.stream("a").draw(3, 4), SEED.stream("a").draw(3, 4));
        assert_eq!(SEED.stream("a").sequence(), SEED.stream("a").sequence());
    }

    #[test]
    fn every_part_of_the_address_matters() {
        let base = first(SEED.stream("a"), 1, 2);
        let others = [
            first(SEED.stream("b"), 1, 2),
            first(Seed { master: SEED.master + 1, ..SEED }.stream("a"), 1, 2),
            first(Seed { replicate: 1, ..SEED }.stream("a"), 1, 2),
            first(SEED.stream("a"), 2, 2),
            first(SEED.stream("a"), 1, 3),
            first(SEED.stream("a"), 2, 1),
            SEED.stream("a").sequence().next_u64(),
        ];
        let distinct: BTreeSet<u64> = others.into_iter().chain([base]).collect();
        assert_eq!(distinct.len(), others.len() + 1);
    }

    #[test]
    fn no_two_wakes_share_a_generator() {
        let stream = SEED.stream("grid");
        let mut seen = BTreeSet::new();
        for agent in 0..200 {
            for wake in 0..200 {
                assert!(seen.insert(first(stream, agent, wake)), "agent {agent}, wake {wake}");
            }
        }
    }

    /// Neighbouring addresses are uncorrelated: the standard error of a correlation over n pairs is 1/sqrt(n), and five of
    /// them are allowed for each of the series.
    #[test]
    fn neighbours_are_uncorrelated() {
        let stream = SEED.stream("grid");
        let other = SEED.stream("grid-2");
        let next = Seed { replicate: 1, ..SEED }.stream("grid");
        let n = 200_000;
        let tolerance = 5.0 / f64::from(n).sqrt();
        let count = 0..u64::try_from(n).unwrap();
        let series: [(&str, f64); 7] = [
            (
                "next agent",
                correlation(count.clone().map(|i| (first(stream, i, 5), first(stream, i + 1, 5)))),
            ),
            ("next wake", correlation(count.clone().map(|i| (first(stream, 5, i), first(stream, 5, i + 1))))),
            ("transposed", correlation(count.clone().map(|i| (first(stream, i, 5), first(stream, 5, i))))),
            (
                "high bits",
                correlation(count.clone().map(|i| (first(stream, i, 0), first(stream, i, 1 << 63)))),
            ),
            ("other name", correlation(count.clone().map(|i| (first(stream, i, 5), first(other, i, 5))))),
            ("next replicate", correlation(count.clone().map(|i| (first(stream, i, 5), first(next, i, 5))))),
            ("own second word", {
                let two = |i| {
                    let mut rng = stream.draw(i, 5);
                    (rng.next_u64(), rng.next_u64())
                };
                correlation(count.map(two))
            }),
        ];
        for (name, value) in series {
            assert!(value.abs() < tolerance, "{name}: {value} against {tolerance}");
        }
    }

    /// The generators of two agents at two wakes have no common part: over a grid of such rectangles the alternating sum
    /// of the four first words falls evenly into 64 bins. The bound is the .9999 quantile of chi-square with 63 degrees.
    #[test]
    fn rectangles_of_agents_and_wakes_do_not_cancel() {
        let stream = SEED.stream("grid");
        let mut bins = [0_u32; 64];
        for agent in 0..256 {
            for wake in 0..256 {
                let [a, b] = [first(stream, agent, wake), first(stream, agent + 1, wake)];
                let [c, d] = [first(stream, agent, wake + 1), first(stream, agent + 1, wake + 1)];
                let sum = a.wrapping_sub(b).wrapping_sub(c).wrapping_add(d);
                bins[(sum >> 58) as usize] += 1;
            }
        }
        let expected = 1024.0;
        let statistic: f64 =
            bins.iter().map(|&n| (f64::from(n) - expected) * (f64::from(n) - expected) / expected).sum();
        assert!(statistic < 113.7, "chi-square {statistic} with 63 degrees");
    }

    /// Each output bit flips half the time when any one input bit flips.
    #[test]
    fn single_input_bits_flip_half_the_output() {
        let stream = SEED.stream("avalanche");
        let samples = 512_u32;
        let mut flips = vec![[0_u32; 64]; 128];
        for sample in 0..u64::from(samples) {
            let base = first(stream, sample, 3 * sample);
            for (bit, row) in flips.iter_mut().enumerate() {
                let mask = 1 << (bit & 63);
                let flipped = if bit < 64 {
                    first(stream, sample ^ mask, 3 * sample)
                } else {
                    first(stream, sample, (3 * sample) ^ mask)
                };
                for (out, count) in row.iter_mut().enumerate() {
                    *count += u32::try_from(((base ^ flipped) >> out) & 1).unwrap();
                }
            }
        }
        // 8,192 cells: six standard errors of a binomial proportion.
        let tolerance = 6.0 * 0.5 / f64::from(samples).sqrt();
        for (bit, row) in flips.iter().enumerate() {
            for (out, &count) in row.iter().enumerate() {
                let share = f64::from(count) / f64::from(samples);
                assert!((share - 0.5).abs() < tolerance, "input bit {bit}, output bit {out}: {share}");
            }
        }
    }
}
