//! How long an order book takes for a message, and the long campaigns that compare the books. Not a test: `cargo test`
//! runs the same comparison for a few seconds.
//!
//! `cargo bench --bench book` prints the table. Its column "no book" is what reading the messages and guessing their kinds
//! costs without a book, and is part of all other columns but those called "net", from which it is taken off: from the least
//! the least, from the median the median. A processor does some of both at once, so the book's own share lies between gross
//! and net. "Handles" cancels by handle, "ids" by id; both only count fills and lots, and "ear" is the same with a caller that
//! takes in all of every event, as a venue does. The books take turns, and every figure is a sum over short chunks of the
//! stream: of the least and of the median time that each took in any round. On a shared machine the least says more.
//!
//! `cargo bench --bench book -- count calm20 ids 600000` feeds one book (none, handles, ids) so many messages of one stream
//! (calm20, calm100, cascade50) without a clock. Instructions a message are what this counts, divided by the messages:
//!
//! ```text
//! cargo bench --bench book --no-run
//! valgrind --tool=callgrind --toggle-collect='*counted*' target/release/deps/book-... count calm20 ids 600000
//! ```
//!
//! A table of ids that grows in the first messages is left out by running twice, with 400000 and 600000, and taking the
//! difference. The cascade is the whole of itself only with all 2000000. What "none" counts is the harness, and the rows "net" of
//! `benches/instructions` are without it.
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
const ROUNDS: usize = 15;
/// Messages that are timed at once.
const CHUNK: usize = 10_000;
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
            let length = number(1).unwrap_or(5);
            let operations: u64 = ops::POLICIES.map(|policy| duel::exhaust(policy, length)).iter().sum();
            println!("{operations} operations of all short sequences agree, {:.0} s", seconds_since(start));
        }
        Some("count") => {
            let word = |place: usize| args.get(place).map_or("", String::as_str);
            count(word(1), word(2), number(3).unwrap_or(200_000) as usize);
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

/// The streams by name, with the live orders that they keep.
const STREAMS: [(&str, usize, Recipe); 3] =
    [("calm", 20_000, calm), ("calm", 100_000, calm), ("cascade", 50_000, cascade)];

fn table() {
    println!("ns a message, least and median of {ROUNDS} rounds of {MESSAGES} messages");
    println!(
        "{:<9}{:>7}{:>10}{:>14}{:>14}{:>14}{:>14}{:>14}{:>14}{:>14}{:>14}{:>9}",
        "stream",
        "live",
        "fills/msg",
        "no book",
        "handles",
        "ids",
        "handles, net",
        "ids, net",
        "handles, ear",
        "ids, ear",
        "plain",
        "copy us"
    );
    for (name, live, recipe) in STREAMS {
        let tape = Writer::write(live, recipe, MESSAGES);
        let fills = tape.fills as f64 / MESSAGES as f64;
        let mut times: [Vec<Vec<f64>>; 6] = Default::default();
        // In turn, so that whatever else the machine does meets all of them.
        for round in 0..ROUNDS {
            times[0].push(time::<NoBook, ByHandle, Tally>(&tape));
            times[1].push(time::<FastBook, ByHandle, Tally>(&tape));
            times[2].push(time::<FastIdBook, ById, Tally>(&tape));
            times[3].push(time::<FastBook, ByHandle, Ear>(&tape));
            times[4].push(time::<FastIdBook, ById, Ear>(&tape));
            if round < PLAIN_ROUNDS {
                times[5].push(time::<PlainBook, ById, Tally>(&tape));
            }
        }
        print!("{name:<9}{live:>7}{fills:>10.3}");
        let [harness, handles, ids, others @ ..] = times.map(|times| least_and_median(&times));
        let net = |gross: (f64, f64)| (gross.0 - harness.0, gross.1 - harness.1);
        let columns = [harness, handles, ids, net(handles), net(ids)];
        for (least, median) in columns.into_iter().chain(others) {
            print!("{least:>8.1}{median:>6.1}");
        }
        println!("{:>9.1}", copy_us(&tape));
    }
}

/// Feeds one book one stream once, without a clock.
fn count(stream: &str, book: &str, messages: usize) {
    let (_, live, recipe) = STREAMS
        .into_iter()
        .find(|(name, live, _)| format!("{name}{}", live / 1000) == stream)
        .expect("a stream is calm20, calm100 or cascade50");
    let tape = Writer::write(live, recipe, messages);
    let tally = match book {
        "none" => once::<NoBook, ByHandle, Tally>(&tape),
        "handles" => once::<FastBook, ByHandle, Tally>(&tape),
        "ids" => once::<FastIdBook, ById, Tally>(&tape),
        _ => panic!("a book is none, handles or ids"),
    };
    println!("{messages} messages of {stream} to {book}: {} fills of {} lots", tally.fills, tally.lots);
}

/// What a cancel names its order by.
trait Name {
    fn cancel<B: Book, S: Sink>(book: &mut B, message: &Message, sink: &mut S) -> bool;
}

/// The book's handle.
struct ByHandle;

/// The id that the caller gave it.
struct ById;

impl Name for ByHandle {
    #[inline]
    fn cancel<B: Book, S: Sink>(book: &mut B, message: &Message, sink: &mut S) -> bool {
        book.cancel(Handle(message.handle), sink)
    }
}

impl Name for ById {
    #[inline]
    fn cancel<B: Book, S: Sink>(book: &mut B, message: &Message, sink: &mut S) -> bool {
        book.cancel_id(OrderId(message.id), sink)
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

/// Takes in all of every event, as a venue would.
#[derive(Default)]
struct Ear {
    tally: Tally,
    sum: u64,
}

impl Sink for Ear {
    fn on(&mut self, event: BookEvent, place: Place) {
        self.tally.on(event, place);
        let (id, owner, side, qty, more) = match event {
            BookEvent::Accepted(NewOrder { id, owner, side, qty, .. }) => (id, owner, side, qty, 1),
            BookEvent::Trade(trade) => {
                let Trade { maker, maker_owner, maker_remaining, taker_side, price, .. } = trade;
                (maker, maker_owner, taker_side, maker_remaining, price.0 as u64)
            }
            BookEvent::Rested { id, owner, side, price, qty } => (id, owner, side, qty, price.0 as u64),
            BookEvent::Cancelled { id, owner, side, qty, .. } => (id, owner, side, qty, 2),
            BookEvent::Reduced { id, owner, side, to, .. } => (id, owner, side, to, 3),
            BookEvent::Rejected { id, owner, .. } => (id, owner, Side::Buy, Qty(0), 4),
        };
        let word = id.0 ^ u64::from(owner.0) << 20 ^ (side as u64) << 40 ^ (qty.0 as u64) << 50;
        self.sum = self.sum.rotate_left(1) ^ word ^ more << 16 ^ u64::from(place.0) << 30;
    }
}

/// A sink that tells what it heard.
trait Heard: Sink + Default {
    fn tally(&self) -> (u64, u64);
}

impl Heard for Tally {
    fn tally(&self) -> (u64, u64) {
        (self.fills, self.lots)
    }
}

impl Heard for Ear {
    fn tally(&self) -> (u64, u64) {
        std::hint::black_box(self.sum);
        self.tally.tally()
    }
}

/// Returns the times of all chunks in ns; the messages must cause the fills and lots that they caused when written.
fn time<B: Book, N: Name, S: Heard>(tape: &Messages) -> Vec<f64> {
    let mut book = B::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 });
    run::<B, N, Tally>(&mut book, &tape.fill, &mut Tally::default());
    let mut sink = S::default();
    let times = tape.timed.chunks(CHUNK).map(|messages| {
        let start = now();
        run::<B, N, S>(&mut book, messages, &mut sink);
        seconds_since(start) * 1e9
    });
    let times = times.collect();
    let silent = sink.tally() == (0, 0) && book.len() == 0;
    assert!(silent || sink.tally() == (tape.fills, tape.lots), "the books disagree");
    times
}

/// Returns the time of a message in ns if every chunk took as long as in its least and in its median round. A chunk is
/// the same work in every round, and short, so that something else on the machine spoils few of them.
fn least_and_median(rounds: &[Vec<f64>]) -> (f64, f64) {
    let chunks = (0..rounds[0].len()).map(|chunk| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[chunk]).collect();
        times.sort_by(f64::total_cmp);
        (times[0], times[times.len() >> 1])
    });
    let (least, median) = chunks.fold((0.0, 0.0), |sum, times| (sum.0 + times.0, sum.1 + times.1));
    (least / MESSAGES as f64, median / MESSAGES as f64)
}

fn once<B: Book, N: Name, S: Heard>(tape: &Messages) -> S {
    let mut book = B::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 });
    run::<B, N, Tally>(&mut book, &tape.fill, &mut Tally::default());
    let mut sink = S::default();
    counted::<B, N, S>(&mut book, &tape.timed, &mut sink);
    sink
}

/// What callgrind counts: this name and what is called from it.
#[inline(never)]
fn counted<B: Book, N: Name, S: Sink>(book: &mut B, messages: &[Message], sink: &mut S) {
    run::<B, N, S>(book, messages, sink);
}

/// Returns the median time of a copy of the filled book in microseconds.
fn copy_us(tape: &Messages) -> f64 {
    let mut book = FastBook::new(BookSpec { self_trade: SelfTrade::Allow, min_notional: 0 });
    run::<FastBook, ByHandle, Tally>(&mut book, &tape.fill, &mut Tally::default());
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
fn run<B: Book, N: Name, S: Sink>(book: &mut B, messages: &[Message], sink: &mut S) {
    for message in messages {
        match message.ask {
            Ask::Cancel => {
                N::cancel(book, message, sink);
            }
            Ask::Limit | Ask::Market => {
                book.submit(order(message), sink);
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
    fn write(live: usize, recipe: Recipe, messages: usize) -> Messages {
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
        let timed = (0..messages).map(|count| writer.say(recipe, Some(count))).collect();
        let live_at_end = writer.book.len();
        // A short stream may end before it is where it settles.
        assert!(
            messages < MESSAGES || live_at_end.abs_diff(live) * 20 < live,
            "{live} live orders became {live_at_end}"
        );
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
