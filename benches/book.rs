//! How long an order book takes for a message, and the long campaigns that compare the books. Not a test: `cargo test`
//! runs the same comparison for a few seconds.
//!
//! `cargo bench --bench book` prints the table. Its column "no book" is what reading the messages and guessing their kinds
//! costs without a book, and is part of all other columns. On a shared machine, look at the least of several runs.
//!
//! `cargo bench --bench book -- campaign 1000000000 [first seed]` compares the fast books with the reference over so many
//! random operations, `cargo bench --bench book -- exhaust 5` over every sequence of that length.
#![allow(missing_docs, reason = "a program, not a library")]
#![allow(clippy::print_stdout, reason = "it prints its table")]

#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../src/market/tests/duel.rs"]
mod duel;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../src/market/tests/ops.rs"]
mod ops;
#[allow(dead_code, reason = "the tests use all of it")]
#[path = "../src/market/tests/session.rs"]
mod session;

use firesale::market::{
    Book, BookEvent, BookSpec, FastBook, FastIdBook, Handle, NewOrder, OrderType, Outcome, Owner, Place,
    PlainBook, Resting, SelfTrade, Sink, TimeInForce, Trade,
};
use firesale::units::{OrderId, Position, Price, Qty, Side};
use ops::Dice;

/// Timed messages of a stream.
const MESSAGES: usize = 2_000_000;
const ROUNDS: usize = 9;
/// The reference is slow, and its figure is for comparison alone.
const PLAIN_ROUNDS: usize = 3;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |place: usize| args.get(place).and_then(|arg| arg.parse::<u64>().ok());
    match args.first().map(String::as_str) {
        Some("campaign") => {
            let (operations, seed) = (number(1).unwrap_or(1_000_000_000), number(2).unwrap_or(1_000));
            let start = now();
            duel::campaign(operations, seed);
            println!("{operations} operations from seed {seed} agree, {:.0} s", seconds_since(start));
        }
        Some("exhaust") => {
            let start = now();
            let operations = duel::exhaust(number(1).unwrap_or(5));
            println!("{operations} operations of all short sequences agree, {:.0} s", seconds_since(start));
        }
        // `cargo test --all-targets` runs this program without `--bench`.
        _ if std::env::args().any(|arg| arg == "--bench") => table(),
        _ => {}
    }
}

#[allow(clippy::disallowed_methods, reason = "a benchmark looks at the clock")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn seconds_since(start: std::time::Instant) -> f64 {
    start.elapsed().as_secs_f64()
}

fn table() {
    println!("ns a message (median of {ROUNDS} rounds of {MESSAGES} messages)");
    println!("{:<10}{:>9}{:>12}{:>10}{:>10}{:>10}", "stream", "live", "fills/msg", "handles", "ids", "plain");
    for (name, live, recipe) in [
        ("calm", 20_000, calm as Recipe),
        ("calm", 100_000, calm as Recipe),
        ("cascade", 50_000, cascade as Recipe),
    ] {
        let tape = Writer::write(live, recipe);
        let causes = (tape.fills, tape.lots);
        let none = median::<NoBook>(&tape, ROUNDS, (0, 0), |_, message| Handle(message.handle));
        let handles = median::<FastBook>(&tape, ROUNDS, causes, |_, message| Handle(message.handle));
        let fills = tape.fills as f64 / MESSAGES as f64;
        let ids = median::<FastIdBook>(&tape, ROUNDS, causes, |book, message| {
            book.find(OrderId(message.id)).unwrap_or(Handle(u64::MAX))
        });
        let plain = median::<PlainBook>(&tape, PLAIN_ROUNDS, causes, |_, message| Handle(message.id));
        let copy = copy_us(&tape);
        println!(
            "{name:<10}{live:>9}{fills:>12.3}{none:>10.1}{handles:>10.1}{ids:>10.1}{plain:>10.1}{copy:>12.1}"
        );
    }
}

/// One message, small enough that reading it costs little. A cancel carries its order's handle in the fast book, as
/// its owner would.
#[derive(Clone, Copy)]
struct Message {
    id: u64,
    handle: u64,
    price: u32,
    qty: u32,
    owner: u32,
    ask: Ask,
    side: Side,
}

#[derive(Clone, Copy)]
enum Ask {
    Limit,
    Market,
    Cancel,
}

/// The messages that fill a book, those that are timed, and what they must cause.
struct Messages {
    fill: Vec<Message>,
    timed: Vec<Message>,
    fills: u64,
    lots: u64,
}

/// Counts, so that no work is optimised away.
#[derive(Default)]
struct Tally {
    fills: u64,
    lots: u64,
}

impl Sink for Tally {
    fn on(&mut self, event: BookEvent, _place: Place) {
        if let BookEvent::Trade(trade) = event {
            self.fills += 1;
            self.lots += trade.qty.0 as u64;
        }
    }
}

/// Returns the median time of a message in ns; each round must cause the same fills and lots.
fn median<B: Book>(
    tape: &Messages,
    rounds: usize,
    causes: (u64, u64),
    handle: impl Fn(&B, &Message) -> Handle,
) -> f64 {
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let mut book = B::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 });
            run(&mut book, &tape.fill, &mut Tally::default(), &handle);
            let mut tally = Tally::default();
            let start = now();
            run(&mut book, &tape.timed, &mut tally, &handle);
            let seconds = seconds_since(start);
            assert_eq!((tally.fills, tally.lots), causes, "the books disagree");
            seconds * 1e9 / tape.timed.len() as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() >> 1]
}

/// Returns the median time of a copy of the filled book in microseconds.
fn copy_us(tape: &Messages) -> f64 {
    let mut book = FastBook::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 });
    run(&mut book, &tape.fill, &mut Tally::default(), |_, message| Handle(message.handle));
    let mut times: Vec<f64> = (0..99)
        .map(|_| {
            let start = now();
            let copy = std::hint::black_box(book.clone());
            let seconds = seconds_since(start);
            assert_eq!(copy.len(), book.len());
            seconds * 1e6
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() >> 1]
}

#[inline(never)]
fn run<B: Book>(
    book: &mut B,
    messages: &[Message],
    tally: &mut Tally,
    handle: impl Fn(&B, &Message) -> Handle,
) {
    for message in messages {
        match message.ask {
            Ask::Cancel => {
                let handle = handle(book, message);
                book.cancel(handle, tally);
            }
            Ask::Limit | Ask::Market => {
                book.submit(order(message), tally);
            }
        }
    }
}

fn order(message: &Message) -> NewOrder {
    let order_type = match message.ask {
        Ask::Market => OrderType::Market { worst: None },
        Ask::Limit | Ask::Cancel => {
            OrderType::Limit { price: Price(i64::from(message.price)), tif: TimeInForce::Gtc }
        }
    };
    NewOrder {
        id: OrderId(message.id),
        owner: Owner(message.owner),
        side: message.side,
        qty: Qty(i64::from(message.qty)),
        order_type,
        reduce_only: false,
    }
}

/// Takes every message and does nothing: what reading the stream and guessing its kinds costs by itself.
#[derive(Clone)]
struct NoBook(u64);

impl Book for NoBook {
    fn new(_spec: BookSpec) -> Self {
        Self(0)
    }

    fn submit<S: Sink>(&mut self, order: NewOrder, _sink: &mut S) -> Outcome {
        if let OrderType::Limit { price, .. } = order.order_type {
            self.0 ^= price.0 as u64 ^ u64::from(order.owner.0);
        }
        self.0 = self.0.wrapping_add(order.id.0 ^ (order.qty.signed(order.side).0 as u64));
        Outcome { filled: Qty::ZERO, resting: None }
    }

    fn cancel<S: Sink>(&mut self, handle: Handle, _sink: &mut S) -> bool {
        self.0 = std::hint::black_box(self.0.wrapping_mul(handle.0));
        true
    }

    fn amend<S: Sink>(&mut self, _handle: Handle, _price: Price, _qty: Qty, _sink: &mut S) -> Outcome {
        Outcome { filled: Qty::ZERO, resting: None }
    }

    fn find(&self, _id: OrderId) -> Option<Handle> {
        None
    }

    fn get(&self, _handle: Handle) -> Option<Resting> {
        None
    }

    fn best(&self, _side: Side) -> Option<Price> {
        None
    }

    fn level(&self, _side: Side, _price: Price) -> Qty {
        Qty::ZERO
    }

    fn levels(&self, _side: Side) -> impl Iterator<Item = (Price, Qty)> + '_ {
        std::iter::empty()
    }

    fn orders(&self, _side: Side) -> impl Iterator<Item = Resting> + '_ {
        std::iter::empty()
    }

    fn len(&self) -> usize {
        0
    }
}

/// Draws the next message; `None` fills the book.
type Recipe = fn(&mut Writer, Option<usize>) -> Message;

/// Writes a stream while a book tells which orders live.
struct Writer {
    dice: Dice,
    book: FastBook,
    alive: Alive,
    mid: f64,
    target: usize,
    next_id: u64,
}

/// The live orders in no order, for uniform draws.
#[derive(Default)]
struct Alive {
    orders: Vec<(u64, u64)>,
    places: std::collections::BTreeMap<u64, usize>,
    tally: Tally,
}

impl Alive {
    fn remove(&mut self, id: u64) {
        let place = self.places.remove(&id).expect("it lives");
        self.orders.swap_remove(place);
        if let Some((moved, _)) = self.orders.get(place) {
            self.places.insert(*moved, place);
        }
    }
}

impl Sink for Alive {
    fn on(&mut self, event: BookEvent, place: Place) {
        self.tally.on(event, place);
        match event {
            BookEvent::Trade(trade) if trade.maker_remaining == Qty::ZERO => self.remove(trade.maker.0),
            BookEvent::Cancelled { id, resting: true, .. } => self.remove(id.0),
            _ => {}
        }
    }
}

impl Writer {
    fn write(live: usize, recipe: Recipe) -> Messages {
        let mut writer = Self {
            dice: Dice(7),
            book: FastBook::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 }),
            alive: Alive::default(),
            mid: 100_000.0,
            target: live,
            next_id: 1,
        };
        let mut fill = Vec::new();
        while writer.book.len() < live {
            fill.push(writer.say(recipe, None));
        }
        writer.alive.tally = Tally::default();
        let timed = (0..MESSAGES).map(|count| writer.say(recipe, Some(count))).collect();
        let live_at_end = writer.book.len();
        assert!(live_at_end.abs_diff(live) * 20 < live, "{live} live orders became {live_at_end}");
        let Tally { fills, lots } = writer.alive.tally;
        Messages { fill, timed, fills, lots }
    }

    fn say(&mut self, recipe: Recipe, count: Option<usize>) -> Message {
        let message = recipe(self, count);
        if let Ask::Cancel = message.ask {
            assert!(self.book.cancel(Handle(message.handle), &mut self.alive));
        } else if let Some(handle) = self.book.submit(order(&message), &mut self.alive).resting {
            self.alive.places.insert(message.id, self.alive.orders.len());
            self.alive.orders.push((message.id, handle.0));
        }
        message
    }

    /// A limit order `distance` ticks outside of the middle, or inside if negative.
    fn limit(&mut self, distance: i64, qty: u64) -> Message {
        let side = if self.dice.chance(50) { Side::Buy } else { Side::Sell };
        let price = self.mid as i64 - side.sign() * distance;
        self.message(Ask::Limit, side, price.max(1), qty)
    }

    fn message(&mut self, ask: Ask, side: Side, price: i64, qty: u64) -> Message {
        let id = self.next_id;
        self.next_id += 1;
        Message {
            id,
            handle: 0,
            price: price as u32,
            qty: qty as u32,
            owner: self.dice.next() as u32,
            ask,
            side,
        }
    }

    fn cancel(&mut self) -> Message {
        let (id, handle) = self.alive.orders[self.dice.below(self.alive.orders.len() as u64) as usize];
        Message { id, handle, price: 0, qty: 0, owner: 0, ask: Ask::Cancel, side: Side::Buy }
    }

    /// Geometric with this mean, at least 1.
    fn geometric(&mut self, mean: f64) -> i64 {
        1 + libm::floor(self.unit_log() * -mean) as i64
    }

    /// Pareto with this exponent, from 1 to `most`.
    fn pareto(&mut self, exponent: f64, most: f64) -> f64 {
        libm::exp(-self.unit_log() / exponent).min(most)
    }

    fn unit_log(&mut self) -> f64 {
        libm::log((self.dice.next() >> 11) as f64 * (-53_f64).exp2() + f64::MIN_POSITIVE)
    }
}

/// 49 % adds, 45 % cancels of any live order, 3 % market orders, 3 % crossing limits, around a middle that walks. Takers
/// take two thirds of an order on average, so that the number of live orders stays; a cancel is an add if it is below.
fn calm(writer: &mut Writer, count: Option<usize>) -> Message {
    let distance = writer.geometric(40.0);
    let qty = 1 + writer.dice.below(10);
    if count.is_none() {
        return writer.limit(distance, qty);
    }
    if writer.dice.below(1000) < 3 {
        writer.mid += if writer.dice.chance(50) { 1.0 } else { -1.0 };
    }
    let taken = 1 + writer.dice.below(6);
    match writer.dice.below(100) {
        0..49 => writer.limit(distance, qty),
        49..94 if writer.alive.orders.len() < writer.target => writer.limit(distance, qty),
        49..94 => writer.cancel(),
        94..97 => {
            let side = if writer.dice.chance(50) { Side::Buy } else { Side::Sell };
            writer.message(Ask::Market, side, 1, taken)
        }
        _ => writer.limit(-4, taken),
    }
}

/// The middle falls by 30 %; 2 % of the messages are sweeps, nine in ten of them sales, of 1 to 1,500 orders with an
/// exponent of 1.1; the rest pulls quotes and places new ones around where the middle is now.
fn cascade(writer: &mut Writer, count: Option<usize>) -> Message {
    let distance = writer.geometric(100.0);
    let qty = 1 + writer.dice.below(10);
    let Some(count) = count else { return writer.limit(distance, qty) };
    writer.mid = 100_000.0 * (1.0 - 0.3 * count as f64 / MESSAGES as f64);
    if writer.dice.chance(2) {
        let side = if writer.dice.chance(90) { Side::Sell } else { Side::Buy };
        let orders = writer.pareto(1.1, 1_500.0);
        return writer.message(Ask::Market, side, 1, (orders * 5.5) as u64);
    }
    if writer.alive.orders.len() > writer.target { writer.cancel() } else { writer.limit(distance, qty) }
}
