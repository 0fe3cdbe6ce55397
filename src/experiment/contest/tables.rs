//! The rows of what is said about policies.

use super::{COST, Contest, FACETS, Phase, RANKED};
use crate::experiment::{Arm, Design};
use crate::record::tables::{PARETO, POLICIES, RANKING};
use crate::record::{RowWriter, Table};
use crate::stats::paired::Gain;

impl Contest {
    /// Writes the table of policies: a row a policy and facet.
    pub fn policies(&self, design: &Design) -> String {
        let columns = design.columns(&POLICIES);
        let table = Table { columns: &columns, ..POLICIES };
        let mut rows = RowWriter::new(&table);
        for (index, facets) in self.contrasts.iter().enumerate() {
            let point = index as u32 + 1;
            for (facet, contrast) in FACETS.iter().zip(facets) {
                let arm = facet.phase as usize;
                rows.row(design.cell(point, arm), None);
                design.write_parameters(point, &mut rows);
                rows.text(&*design.arms[arm].name()).text(facet.metric);
                let contrast = contrast.as_ref();
                let interval = contrast.and_then(|contrast| contrast.interval);
                let bootstrap = contrast.and_then(|contrast| contrast.bootstrap);
                let gain = contrast.and_then(|contrast| contrast.gain);
                rows.integer(contrast.map_or(0, |contrast| contrast.pairs as i64))
                    .number(contrast.map(|contrast| contrast.baseline))
                    .number(contrast.map(|contrast| contrast.mean))
                    .number(contrast.map(|contrast| contrast.difference))
                    .number(interval.map(|interval| interval.low))
                    .number(interval.map(|interval| interval.high))
                    .number(bootstrap.map(|interval| interval.low))
                    .number(bootstrap.map(|interval| interval.high))
                    .number(contrast.map(|contrast| contrast.p))
                    .number(contrast.map(|contrast| contrast.p_holm))
                    .number(contrast.map(|contrast| contrast.better.estimate))
                    .number(contrast.map(|contrast| contrast.better.low))
                    .number(contrast.map(|contrast| contrast.better.high))
                    .number(match gain {
                        Some(Gain::Factor(factor)) => Some(factor),
                        Some(Gain::Complete | Gain::Nothing) | None => None,
                    })
                    .text(gain.map(|gain| match gain {
                        Gain::Factor(_) => "factor",
                        Gain::Complete => "complete",
                        Gain::Nothing => "nothing",
                    }))
                    .number(contrast.and_then(|contrast| contrast.detectable))
                    .number(contrast.and_then(|contrast| contrast.detectable_holm));
            }
        }
        rows.finish()
    }

    /// Writes the table of ranks: a row a ranked facet and candidate, in the order of ranks.
    pub fn ranking(&self, design: &Design) -> String {
        let columns = design.columns(&RANKING);
        let table = Table { columns: &columns, ..RANKING };
        let mut rows = RowWriter::new(&table);
        for (&facet, ranking) in RANKED.iter().zip(&self.rankings) {
            let Some((replicates, placed)) = ranking else { continue };
            let arm = FACETS[facet].phase as usize;
            for point in Self::in_order(placed) {
                let place = placed[point];
                rows.row(design.cell(point as u32, arm), None);
                design.write_parameters(point as u32, &mut rows);
                rows.text(&*design.arms[arm].name())
                    .text(FACETS[facet].metric)
                    .integer(*replicates as i64)
                    .number(place.mean)
                    .integer(place.rank as i64)
                    .integer(place.best as i64)
                    .integer(place.worst as i64)
                    .number(place.p_first);
            }
        }
        rows.finish()
    }

    /// Writes the table of protection against cost: a row a kind of protection and candidate.
    pub fn pareto(&self, design: &Design) -> String {
        let columns = design.columns(&PARETO);
        let table = Table { columns: &columns, ..PARETO };
        let mut rows = RowWriter::new(&table);
        let cell = |point: usize| design.cell(point as u32, Phase::Crash as usize);
        for (kind, front) in self.fronts.iter().enumerate() {
            let Some(front) = front else { continue };
            for (point, means) in front.means.iter().enumerate() {
                let dominator = front.dominators[point];
                rows.row(cell(point), None);
                design.write_parameters(point as u32, &mut rows);
                rows.text(FACETS[RANKED[kind]].metric)
                    .text(FACETS[RANKED[COST]].metric)
                    .integer(front.replicates as i64)
                    .number(means[0])
                    .number(means[1])
                    .text(if dominator.is_none() { "yes" } else { "no" })
                    .integer(dominator.map(|other| i64::from(cell(other))))
                    .number(front.shares[point]);
            }
        }
        rows.finish()
    }

    /// Returns the points of a ranking in the order of their ranks.
    pub fn in_order(placed: &[crate::stats::order::Placed]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..placed.len()).collect();
        order.sort_by_key(|&point| (placed[point].rank, point));
        order
    }

    /// Returns the arms of a comparison in the order of phases.
    pub fn arms(calm: crate::units::Time) -> Vec<Arm> {
        vec![Arm::Base, Arm::CalmFor(calm)]
    }
}
