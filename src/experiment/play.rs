//! One run of a design: who listens to it, and how it is walked from the beginning of its burn-in to its end.

use super::{Cancel, Design, Stopped};
use crate::engine::Simulation;
use crate::event::Observer;
use crate::record::targets::Watcher;
use crate::record::{Outcome, Recorder, RunKey, RunRecord, Simulated, TapeHasher};
use crate::rng::Seed;
use crate::scenario::Scenario;
use crate::units::Time;
use crate::world::World;

impl Design {
    /// Does one run.
    pub fn simulate(&self, key: RunKey, cancel: &Cancel) -> Result<RunRecord, Stopped> {
        let scenario = &*self.scenario(key.cell).map_err(|bad| Stopped::Failed(bad.render(false)))?;
        let seed = Seed { master: self.seed_of(key.cell), replicate: key.replicate };
        let recorder = Recorder::new(scenario, key.cell, key.replicate);
        let recorder = if self.has_tables { recorder } else { recorder.metrics_only() };
        let is_mapped = self.space().is_none() && key == RunKey { cell: 0, replicate: 0 };
        let recorder = if is_mapped { recorder.with_liquidation_map(scenario) } else { recorder };
        let watcher = (!self.targets.is_empty()).then(|| Watcher::new(scenario, &self.targets));
        let hasher = self.hash.then(TapeHasher::new);
        if watcher.is_none() && hasher.is_none() {
            // Alone: what nobody else hears of is not said, which is worth some percent of a run.
            let (alone, simulation) = play(scenario, seed, recorder, cancel)?;
            return Ok(recorded(key, alone, None, None, &simulation));
        }
        let (heard, simulation) = play(scenario, seed, ((recorder, watcher), hasher), cancel)?;
        let ((recorder, watcher), hasher) = heard;
        Ok(recorded(key, recorder, watcher, hasher, &simulation))
    }
}

/// Who listens to a run and also looks at the market at equal distances of time.
trait Onlooker: Observer {
    /// Sees the market during the burn-in.
    fn see_before(&mut self, world: &World, time: Time);
    /// Sees the market from time zero on.
    fn see(&mut self, world: &World, time: Time);
}

impl Onlooker for Recorder {
    fn see_before(&mut self, _world: &World, _time: Time) {}

    fn see(&mut self, world: &World, time: Time) {
        self.sample(world, time);
    }
}

impl Onlooker for ((Recorder, Option<Watcher>), Option<TapeHasher>) {
    fn see_before(&mut self, world: &World, time: Time) {
        if let Some(watcher) = &mut self.0.1 {
            watcher.sample(world, time);
        }
    }

    fn see(&mut self, world: &World, time: Time) {
        self.0.0.sample(world, time);
        self.see_before(world, time);
    }
}

/// Plays a scenario from the beginning of its burn-in to its end.
fn play<O: Onlooker>(
    scenario: &Scenario,
    seed: Seed,
    mut observer: O,
    cancel: &Cancel,
) -> Result<(O, Simulation), Stopped> {
    let mut simulation = Simulation::new(scenario, seed, &mut observer);
    // The burn-in is walked in steps too, so that a signal is seen within a fraction of a second.
    let mut time = Time::ZERO - scenario.burn_in;
    if time < Time::ZERO {
        observer.see_before(simulation.world(), time);
    } else {
        observer.see(simulation.world(), time);
    }
    while time < scenario.duration {
        let end = if time < Time::ZERO { Time::ZERO } else { scenario.duration };
        time = (time + scenario.sample_every).min(end);
        simulation.step_until(time, &mut observer);
        if cancel.is_set() {
            return Err(Stopped::Cancelled);
        }
        if time < Time::ZERO {
            observer.see_before(simulation.world(), time);
        } else {
            observer.see(simulation.world(), time);
        }
    }
    Ok((observer, simulation))
}

/// Makes the record of a run that is over.
fn recorded(
    key: RunKey,
    recorder: Recorder,
    watcher: Option<Watcher>,
    hasher: Option<TapeHasher>,
    simulation: &Simulation,
) -> RunRecord {
    let (metrics, tables) = recorder.finish(Simulated {
        world: simulation.world(),
        messages: simulation.messages(),
        records: simulation.records(),
    });
    RunRecord {
        cell: key.cell,
        replicate: key.replicate,
        outcome: Outcome::Finished,
        metrics,
        tables,
        targets: watcher.map_or_else(Vec::new, Watcher::finish),
        tape_hash: hasher.map(TapeHasher::finish),
    }
}
