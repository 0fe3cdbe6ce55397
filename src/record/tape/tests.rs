use super::*;
use crate::clearing::{Purse, Reason, Transfer};
use crate::event::{Assignment, Event, Refusal};
use crate::market::{BookEvent, CancelReason, NewOrder, OrderType, Owner, RejectReason, TimeInForce, Trade};
use crate::units::{AccountId, MarketId, Money, OrderId, Position, Price, Qty, Side, Time, VenueId};
use proptest::prelude::*;
use proptest::sample::select;

fn tape_of(records: &[Record]) -> Vec<u8> {
    let mut writer = TapeWriter::new(Vec::new());
    for record in records {
        writer.on(record);
    }
    writer.finish().unwrap()
}

fn trade() -> Record {
    let trade = Trade {
        maker: OrderId(7),
        maker_owner: Owner(3),
        maker_remaining: Qty(5),
        taker: OrderId(9),
        taker_owner: Owner(4),
        taker_side: Side::Sell,
        price: Price(667_400),
        qty: Qty(2),
    };
    let event = Event::Book { market: MarketId(1), event: BookEvent::Trade(trade) };
    Record { seq: 258, time: Time(-1), cause: 257, event }
}

#[test]
fn the_bytes_of_a_record_are_these_for_ever() {
    let cases: [(Record, &[&str]); 3] = [
        (
            trade(),
            &[
                "02",
                "0201000000000000",
                "ffffffffffffffff",
                "0101000000000000",
                "0100",
                "0700000000000000",
                "03000000",
                "0500000000000000",
                "0900000000000000",
                "04000000",
                "01",
                "082f0a0000000000",
                "0200000000000000",
            ],
        ),
        (
            Record {
                seq: 1,
                time: Time(2),
                cause: 0,
                event: Event::Transfer(Transfer {
                    from: Purse::Margin(AccountId(5), MarketId(1)),
                    to: Purse::Fund(VenueId(2)),
                    amount: Money(-3),
                    reason: Reason::LiquidationFee,
                }),
            },
            &[
                "20",
                "0100000000000000",
                "0200000000000000",
                "0000000000000000",
                "02",
                "05000000",
                "0100",
                "04",
                "0200",
                "fdffffffffffffff",
                "06",
            ],
        ),
        (
            Record {
                seq: 3,
                time: Time(2),
                cause: 1,
                event: Event::Mark {
                    market: MarketId(0),
                    mark: Price(10),
                    bid: Some(Price(9)),
                    ask: None,
                    last: Some(Price(10)),
                },
            },
            &[
                "30",
                "0300000000000000",
                "0200000000000000",
                "0100000000000000",
                "0000",
                "0a00000000000000",
                "01",
                "0900000000000000",
                "00",
                "01",
                "0a00000000000000",
            ],
        ),
    ];
    for (record, expected) in cases {
        let mut bytes = Vec::new();
        encode(&record, &mut bytes);
        let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(text, expected.concat(), "{record:?}");
    }
}

#[test]
fn a_tape_begins_with_its_name_and_versions() {
    let mut bytes = Vec::new();
    encode_header(&mut bytes);
    assert_eq!(bytes.len(), HEADER_LEN);
    assert_eq!(&bytes[..10], b"FIRETAPE\x01\x00");
    let reader = Reader::new(&bytes[..]).unwrap();
    assert_eq!(reader.model_version(), MODEL_VERSION);
    assert_eq!(reader.count(), 0);
}

#[test]
fn a_tape_that_is_cut_anywhere_within_a_record_is_torn() {
    let bytes = tape_of(&[trade(), trade()]);
    let length = (bytes.len() - HEADER_LEN) >> 1;
    for end in HEADER_LEN..bytes.len() {
        let read: Vec<_> = Reader::new(&bytes[..end]).unwrap().collect();
        let whole = (end - HEADER_LEN).div_euclid(length);
        let is_torn = !(end - HEADER_LEN).is_multiple_of(length);
        assert_eq!(read.len(), whole + usize::from(is_torn), "cut at {end}");
        if is_torn {
            let begin = (HEADER_LEN + whole * length) as u64;
            assert!(matches!(read.last(), Some(Err(TapeError::Torn { at })) if *at == begin), "cut at {end}");
        }
    }
    for end in 0..MAGIC.len() {
        assert!(matches!(Reader::new(&bytes[..end]), Err(TapeError::NotATape)), "cut at {end}");
    }
    for end in MAGIC.len()..HEADER_LEN {
        assert!(matches!(Reader::new(&bytes[..end]), Err(TapeError::Torn { at: 0 })), "cut at {end}");
    }
}

#[test]
fn what_a_reader_does_not_know_is_named_with_its_place() {
    let mut bytes = tape_of(&[trade()]);
    bytes[HEADER_LEN] = 255;
    let error = Reader::new(&bytes[..]).unwrap().next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "byte 255 at byte 14 of the tape is no kind of record");
    bytes[HEADER_LEN] = 2;
    let side = bytes.len() - 17;
    bytes[side] = 2;
    let mut reader = Reader::new(&bytes[..]).unwrap();
    assert_eq!(
        reader.next().unwrap().unwrap_err().to_string(),
        format!("byte 2 at byte {side} of the tape is no side")
    );
    assert!(reader.next().is_none(), "nothing is read after an error");
    bytes[8] = 9;
    let error = Reader::new(&bytes[..]).unwrap_err();
    assert_eq!(error.to_string(), "the tape has format 9, this program reads format 1");
}

#[test]
fn the_hash_is_that_of_the_written_tape() {
    let mut hasher = TapeHasher::default();
    let mut records = Vec::new();
    // More than two buffers full.
    for seq in 1..=3_000 {
        records.push(Record { seq, ..trade() });
        hasher.on(&records[records.len() - 1]);
    }
    assert_eq!(hasher.finish(), blake3::hash(&tape_of(&records)).to_hex().to_string());
}

/// Takes a number of bytes and then fails.
#[derive(Debug)]
struct Disk {
    room: usize,
    calls_after_failure: usize,
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.room < bytes.len() {
            self.calls_after_failure += usize::from(self.room == 0);
            self.room = 0;
            return Err(io::Error::new(io::ErrorKind::StorageFull, "disk full"));
        }
        self.room -= bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_first_error_of_a_disk_is_kept_and_nothing_is_written_after_it() {
    let mut disk = Disk { room: 100_000, calls_after_failure: 0 };
    let mut writer = TapeWriter::new(&mut disk);
    for _ in 0..20_000 {
        writer.on(&trade());
    }
    assert_eq!(writer.error().unwrap().kind(), io::ErrorKind::StorageFull);
    assert_eq!(writer.finish().unwrap_err().to_string(), "disk full");
    assert_eq!(disk.calls_after_failure, 0);
}

fn side() -> impl Strategy<Value = Side> {
    select(vec![Side::Buy, Side::Sell])
}

fn price() -> impl Strategy<Value = Price> {
    any::<i64>().prop_map(Price)
}

fn maybe_price() -> impl Strategy<Value = Option<Price>> {
    proptest::option::of(price())
}

fn order_type() -> impl Strategy<Value = OrderType> {
    let tifs = vec![TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::PostOnly];
    prop_oneof![
        (price(), select(tifs)).prop_map(|(price, tif)| OrderType::Limit { price, tif }),
        maybe_price().prop_map(|worst| OrderType::Market { worst }),
    ]
}

fn purse() -> impl Strategy<Value = Purse> {
    (0..7_u8, any::<u32>(), any::<u16>()).prop_map(|(which, account, place)| match which {
        0 => Purse::External,
        1 => Purse::Cash(AccountId(account)),
        2 => Purse::Margin(AccountId(account), MarketId(place)),
        3 => Purse::Clearing(MarketId(place)),
        4 => Purse::Fund(VenueId(place)),
        5 => Purse::Fees(VenueId(place)),
        _ => Purse::Uncovered(VenueId(place)),
    })
}

fn book_event() -> impl Strategy<Value = BookEvent> {
    let cancels = vec![
        CancelReason::Requested,
        CancelReason::Unfilled,
        CancelReason::SelfTrade,
        CancelReason::ReduceOnly,
    ];
    let rejects = vec![
        RejectReason::Quantity,
        RejectReason::Price,
        RejectReason::MinNotional,
        RejectReason::DuplicateId,
        RejectReason::FillOrKill,
        RejectReason::PostOnly,
        RejectReason::ReduceOnly,
        RejectReason::UnknownOrder,
    ];
    let common = (any::<u64>(), any::<u32>(), side(), any::<i64>(), any::<i64>(), any::<bool>());
    (0..6_u8, common, order_type(), select(cancels), select(rejects)).prop_map(
        |(which, (id, owner, side, qty, to, flag), order_type, cancel, reject)| {
            let (id, owner, qty, to) = (OrderId(id), Owner(owner), Qty(qty), Qty(to));
            match which {
                0 => BookEvent::Accepted(NewOrder { id, owner, side, qty, order_type, reduce_only: flag }),
                1 => BookEvent::Trade(Trade {
                    maker: id,
                    maker_owner: owner,
                    maker_remaining: to,
                    taker: OrderId(!id.0),
                    taker_owner: Owner(!owner.0),
                    taker_side: side,
                    price: Price(to.0 ^ qty.0),
                    qty,
                }),
                2 => BookEvent::Rested { id, owner, side, price: Price(to.0), qty },
                3 => BookEvent::Cancelled { id, owner, side, qty, resting: flag, reason: cancel },
                4 => BookEvent::Reduced { id, owner, side, from: qty, to },
                _ => BookEvent::Rejected { id, owner, reason: reject },
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let refusals = vec![
        Refusal::InsufficientMargin,
        Refusal::LeverageAboveBracket,
        Refusal::PositionTooLarge,
        Refusal::BelowMaintenance,
        Refusal::InsufficientCoins,
        Refusal::Halted,
        Refusal::BeyondBand,
    ];
    let assignments = vec![Assignment::Seed, Assignment::Takeover, Assignment::Deleverage];
    let ids = (any::<u16>(), any::<u32>(), any::<u64>())
        .prop_map(|(market, account, id)| (MarketId(market), AccountId(account), OrderId(id)));
    let transfer = (purse(), purse(), any::<i64>(), select(Reason::ALL.to_vec()))
        .prop_map(|(from, to, amount, reason)| Transfer { from, to, amount: Money(amount), reason });
    prop_oneof![
        (any::<u16>(), book_event())
            .prop_map(|(market, event)| Event::Book { market: MarketId(market), event }),
        (ids.clone(), select(refusals)).prop_map(|((market, account, id), reason)| Event::Refused {
            market,
            account,
            id,
            reason
        }),
        (ids.clone(), 0..3_u8).prop_map(|((market, account, id), which)| match which {
            0 => Event::StopPlaced { market, account, id },
            1 => Event::StopTriggered { market, account, id },
            _ => Event::StopCancelled { market, account, id },
        }),
        transfer.prop_map(Event::Transfer),
        (select(assignments), ids.clone(), any::<i64>(), any::<i64>()).prop_map(
            |(how, (market, from, to), lots, value)| Event::Assigned {
                how,
                market,
                from,
                to: AccountId(to.0 as u32),
                lots: Position(lots),
                value: Money(value)
            }
        ),
        (any::<u16>(), price(), maybe_price(), maybe_price(), maybe_price()).prop_map(
            |(market, mark, bid, ask, last)| Event::Mark { market: MarketId(market), mark, bid, ask, last }
        ),
        (ids.clone(), any::<[i64; 4]>()).prop_map(
            |((market, account, _), [lots, mark, equity, maintenance])| Event::Liquidation {
                market,
                account,
                lots: Position(lots),
                mark: Price(mark),
                equity: Money(equity),
                maintenance: Money(maintenance)
            }
        ),
        (ids, any::<i64>()).prop_map(|((market, account, _), left)| Event::Liquidated {
            market,
            account,
            left: Position(left)
        }),
        (any::<u16>(), any::<f64>())
            .prop_map(|(market, value)| Event::Fundamental { market: MarketId(market), value }),
        (any::<u16>(), any::<i64>())
            .prop_map(|(market, until)| Event::Halted { market: MarketId(market), until: Time(until) }),
        any::<u32>().prop_map(|index| Event::Shock { index }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    (any::<u64>(), any::<i64>(), any::<u64>(), event()).prop_map(|(seq, time, cause, event)| Record {
        seq,
        time: Time(time),
        cause,
        event,
    })
}

proptest! {
    #[test]
    fn records_read_back_as_they_were_written(records in proptest::collection::vec(record(), 0..50)) {
        let read: Vec<Record> =
            Reader::new(&tape_of(&records)[..]).unwrap().collect::<Result<_, _>>().unwrap();
        // A NaN is not equal to itself, its bits are.
        prop_assert_eq!(tape_of(&read), tape_of(&records));
        prop_assert_eq!(format!("{read:?}"), format!("{records:?}"));
    }

    #[test]
    fn no_record_is_longer_than_stated(record in record()) {
        let mut bytes = Vec::new();
        encode(&record, &mut bytes);
        prop_assert!(bytes.len() <= MAX_RECORD_LEN);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut tape = Vec::new();
        encode_header(&mut tape);
        tape.extend(bytes);
        let read: Result<Vec<Record>, _> = Reader::new(&tape[..]).unwrap().collect();
        if let Ok(records) = read {
            prop_assert_eq!(tape_of(&records), tape);
        }
    }
}

#[test]
fn every_field_moves_the_hash() {
    let hash = |record: &Record| {
        let mut hasher = TapeHasher::new();
        hasher.on(record);
        hasher.finish()
    };
    let base = trade();
    let Event::Book { market, event: BookEvent::Trade(inner) } = base.event else { panic!("it is a trade") };
    let with = |trade| Record { event: Event::Book { market, event: BookEvent::Trade(trade) }, ..base };
    let others = [
        Record { seq: 259, ..base },
        Record { time: Time(0), ..base },
        Record { cause: 256, ..base },
        with(Trade { maker: OrderId(8), ..inner }),
        with(Trade { maker_owner: Owner(2), ..inner }),
        with(Trade { maker_remaining: Qty(4), ..inner }),
        with(Trade { taker: OrderId(8), ..inner }),
        with(Trade { taker_owner: Owner(2), ..inner }),
        with(Trade { taker_side: Side::Buy, ..inner }),
        with(Trade { price: Price(667_401), ..inner }),
        with(Trade { qty: Qty(3), ..inner }),
    ];
    let mut hashes: Vec<String> = others.iter().chain([&base]).map(hash).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), others.len() + 1);
}
