//! Broken scenarios: each is refused with its place, quickly and in little memory.

use crate::place::{Place, SOUND, Said, assert_text};
use std::fmt::Write as _;
use std::process::Command;

/// A second of processor time and 150 MB of address space, which bounds memory from above; the program itself, with the fonts of its
/// figures, takes some 40 of them.
const LIMITS: &str = "-t 1 && ulimit -v 150000";

/// Checks `broken.toml` within the limits and returns what was said.
#[track_caller]
fn refused(place: &Place, words: &str) -> String {
    let said = Said::of(&mut place.limited(LIMITS, words)).expect(1, &["error"]);
    assert_eq!(said.out, "", "data of a refused scenario");
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said.err
}

/// Fails unless every problem that is drawn has a line and an underlined word.
#[track_caller]
fn assert_placed(said: &str) {
    for problem in said.split("\n\n").filter(|part| part.trim_start().starts_with("error")) {
        assert!(problem.contains("broken.toml:"), "no place in {problem}");
        assert!(problem.contains('^'), "nothing underlined in {problem}");
    }
}

/// The name of a case, a text that stands once in the sound scenario, and what stands there instead.
const CASES: &[(&str, &str, &str)] = &[
    ("typo_in_a_key", "orders_per_rung = 10", "orders_per_rang = 10"),
    ("typo_in_a_strategy", "populations.makers.strategy.maker]", "populations.makers.strategy.makr]"),
    (
        "unknown_market",
        "[populations.makers.strategy.maker]\nmarket = \"COIN-PERP\"",
        "[populations.makers.strategy.maker]\nmarket = \"COIN-PREP\"",
    ),
    (
        "unknown_venue_and_asset",
        "venue = \"exchange\"\nbase = \"COIN\"",
        "venue = \"exchnage\"\nbase = \"KOIN\"",
    ),
    ("negative_depth", "bids = [[2, 20000]", "bids = [[2, -20000]"),
    ("depth_falls", "bids = [[2, 20000], [10, 120000]", "bids = [[2, 20000], [10, 12000]"),
    ("bids_and_asks_apart", "asks = [[2, 20000], [10, 120000]", "asks = [[2, 20000], [20, 120000]"),
    ("nan", "market_order_median = 0.2", "market_order_median = nan"),
    ("infinity", "market_order_median = 0.2", "market_order_median = inf"),
    ("initial_below_maintenance", "[0, \"0.005\", 100]", "[0, \"0.02\", 100]"),
    ("price_off_the_tick", "initial_price = \"10000\"", "initial_price = \"10000.05\""),
    ("lot_too_fine", "lot = \"0.001\"", "lot = \"0.00000001\""),
    ("a_billion_accounts", "longs = 150", "longs = 1000000000"),
    ("accounts_in_sum", "longs = 150\nshorts = 50", "longs = 4000000\nshorts = 4000000"),
    ("no_accounts", "longs = 150\nshorts = 50", "longs = 0\nshorts = 0"),
    ("brackets_fall", "[1000000, \"0.01\", 50]", "[0, \"0.01\", 50]"),
    ("first_bracket_not_0", "[0, \"0.005\", 100]", "[10, \"0.005\", 100]"),
    ("rates_fall", "[1000000, \"0.01\", 50]", "[1000000, \"0.001\", 50]"),
    ("leverage_above_the_bracket", "leverages = [[5, 0.5], [20, 0.5]]", "leverages = [[5, 0.5], [200, 0.5]]"),
    ("row_too_short", "leverages = [[5, 0.5], [20, 0.5]]", "leverages = [[5], [20, 0.5]]"),
    ("text_for_a_number", "longs = 150", "longs = \"many\""),
    ("quoted_number", "longs = 150", "longs = \"150\""),
    ("number_for_text", "side = \"sell\"", "side = 1"),
    ("float_for_an_exact_decimal", "lot = \"0.001\"", "lot = 0.001"),
    ("duration_nonsense", "duration = \"1m\"", "duration = \"a while\""),
    ("duration_without_a_unit", "duration = \"1m\"", "duration = 60"),
    ("duration_too_long", "duration = \"1m\"", "duration = \"1000d\""),
    ("samples_longer_than_the_run", "sample_every = \"5s\"", "sample_every = \"1h\""),
    ("shock_after_the_end", "at = \"10s\"", "at = \"2h\""),
    ("slices_longer_than_the_order", "slice_every = \"2s\"", "slice_every = \"2h\""),
    ("misspelt_choice", "side = \"sell\"", "side = \"sel\""),
    (
        "two_strategies",
        "[populations.retail.strategy.retail]",
        "[populations.retail.strategy.fundamentalist]\nmarket = \"COIN-PERP\"\naccounts = 1\ncapital = 1\n[populations.retail.strategy.retail]",
    ),
    ("table_for_a_value", "longs = 150", "longs = { count = 150 }"),
    ("value_for_a_table", "entries = { spread = { bps = 200 } }", "entries = { spread = 200 }"),
    ("mechanism_misspelt", "sample_every = \"5s\"", "counterfactuals = [\"adll\"]\nsample_every = \"5s\""),
    ("name_with_a_path", "[shocks.sale.event.meta_order]", "[shocks.\"../../etc\".event.meta_order]"),
    ("name_like_a_formula", "[populations.makers.", "[populations.\"=cmd()\"."),
    ("duplicate_key", "longs = 150", "longs = 150\nlongs = 151"),
    (
        "syntax_several",
        "title = \"a minute of a small exchange with a sale\"",
        "title = \nstart == 4\nburn = [1, 2",
    ),
    ("integer_beyond_64_bits", "longs = 150", "longs = 99999999999999999999"),
    (
        "several_at_once",
        "longs = 150\nshorts = 50\nleverages = [[5, 0.5], [20, 0.5]]",
        "long = 150\nshorts = -50\nleverages = []",
    ),
];

/// A perpetual and the spot market of its index.
const TWO_MARKETS: &str = include_str!("../it/two_markets.toml");

/// The name of a case, what is changed in the scenario of two markets, and what is added to it.
type CaseOfTwo = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const CASES_OF_TWO: &[CaseOfTwo] = &[
    ("no_perpetual", &[("index = \"COIN-SPOT\"", "contract = \"spot\"")], ""),
    (
        "two_spot_markets",
        &[],
        "[markets.OTHER-SPOT]\ncontract = \"spot\"\nvenue = \"exchange\"\nbase = \"COIN\"\ntick = \"0.01\"\nlot = \"0.0001\"\ninitial_price = \"10000\"",
    ),
    ("mark_without_index", &[("mark = \"median\"\nindex = \"COIN-SPOT\"", "mark = \"index\"")], ""),
    ("index_of_no_market", &[("index = \"COIN-SPOT\"", "index = \"COIN-SPTO\"")], ""),
    ("index_of_a_perpetual", &[("index = \"COIN-SPOT\"", "index = \"COIN-PERP\"")], ""),
    ("index_of_spot", &[("contract = \"spot\"", "contract = \"spot\"\nindex = \"COIN-SPOT\"")], ""),
    ("funding_without_index", &[("index = \"COIN-SPOT\"", "funding = {}")], ""),
    ("funding_of_spot", &[("contract = \"spot\"", "contract = \"spot\"\nfunding = {}")], ""),
    (
        "margin_of_spot",
        &[(
            "contract = \"spot\"",
            "contract = \"spot\"\nmargin = { brackets = [[0, \"0.005\", 100]], cap = 1000 }",
        )],
        "",
    ),
    ("passive_of_spot", &[("contract = \"spot\"", "contract = \"spot\"\npassive_open_interest = 5")], ""),
    (
        "passive_off_the_lot",
        &[("index = \"COIN-SPOT\"", "index = \"COIN-SPOT\"\npassive_open_interest = \"0.0005\"")],
        "",
    ),
    (
        "activity_without_volatility",
        &[("volatility_half_life = \"1m\"\nmargin", "margin")],
        "[populations.retail.strategy.retail.activity]\n[populations.flow.strategy.background.flight]",
    ),
    (
        "too_many_market_orders",
        &[(
            "market_orders_per_second = 0.5\nmarket_order_median = 0.05",
            "market_orders_per_second = 500\nmarket_order_median = 0.05\nactivity = { cap = 1000 }",
        )],
        "",
    ),
    (
        "too_many_limit_orders",
        &[(
            "lifetime_near = \"10s\"\nlifetime_far = \"6h\"\nmarket_orders_per_second = 0.5\nmarket_order_median = 0.05",
            "lifetime_near = \"1ms\"\nlifetime_far = \"6h\"\nmarket_order_median = 0.05\nactivity = { cap = 1000, refill_within_bps = 1 }",
        )],
        "",
    ),
    ("flight_without_end", &[], "[populations.flow.strategy.background.flight]\ncap = inf"),
    (
        "retail_in_spot",
        &[(
            "[populations.retail.strategy.retail]\nmarket = \"COIN-PERP\"",
            "[populations.retail.strategy.retail]\nmarket = \"COIN-SPOT\"",
        )],
        "",
    ),
    (
        "history_without_hours",
        &[(
            "entries = { spread = { bps = 100 } }",
            "entries = { history = { mean_age = \"1h\", hours = [] } }",
        )],
        "",
    ),
    (
        "history_upside_down",
        &[(
            "entries = { spread = { bps = 100 } }",
            "entries = { history = { mean_age = \"1h\", hours = [[9000, 9100], [\"9100.05\", 9000], [9100, \"8999.99\"]] } }",
        )],
        "",
    ),
    (
        "closes_in_spot",
        &[(
            "market = \"COIN-PERP\"\nside = \"sell\"",
            "market = \"COIN-SPOT\"\nside = \"sell\"\ncloses = 0.5",
        )],
        "",
    ),
    ("also_the_same", &[("quantity = 150", "quantity = 150\nalso = \"COIN-PERP\"")], ""),
    ("also_share_of_nothing", &[("quantity = 150", "quantity = 150\nalso_share = \"0.5\"")], ""),
    (
        "also_another_coin",
        &[
            ("base = \"COIN\"\ntick = \"0.01\"", "base = \"USDT\"\ntick = \"0.01\""),
            ("quantity = 150", "quantity = 150\nalso = \"COIN-SPOT\"\nalso_share = \"0.2\""),
        ],
        "",
    ),
    (
        "pairs_of_two_coins",
        &[("base = \"COIN\"\ntick = \"0.01\"", "base = \"USDT\"\ntick = \"0.01\"")],
        "[populations.arbitrage.strategy.arbitrageur]\nperpetual = \"COIN-PERP\"\nspot = \"COIN-SPOT\"\nlimit = 5\norder = 1\n[populations.makers.strategy.maker]\nmarket = \"COIN-PERP\"\nquote = 1\ninventory_limit = 20\nsecond = { market = \"COIN-SPOT\", quote = 1 }\nhedge = { market = \"COIN-SPOT\" }",
    ),
    (
        "pairs_at_two_venues",
        &[("contract = \"spot\"\nvenue = \"exchange\"", "contract = \"spot\"\nvenue = \"other\"")],
        "[venues.other]\nsettlement = \"USDT\"\n[populations.arbitrage.strategy.arbitrageur]\nperpetual = \"COIN-PERP\"\nspot = \"COIN-SPOT\"\nlimit = 5\norder = 1\n[populations.makers.strategy.maker]\nmarket = \"COIN-PERP\"\nquote = 1\ninventory_limit = 20\nsecond = { market = \"COIN-SPOT\", quote = 1 }\nhedge = { market = \"COIN-SPOT\" }",
    ),
    ("unloading_too_much", &[], "[venues.exchange.unloading]\nshare = 2"),
    (
        "arbitrage_the_wrong_way_round",
        &[],
        "[populations.arbitrage.strategy.arbitrageur]\nperpetual = \"COIN-SPOT\"\nspot = \"COIN-PERP\"\nlimit = 5\norder = 1",
    ),
    (
        "arbitrage_that_leaves_where_it_enters",
        &[],
        "[populations.arbitrage.strategy.arbitrageur]\nperpetual = \"COIN-PERP\"\nspot = \"COIN-SPOT\"\nlimit = 5\norder = 1\nentry_bps = 3\nexit_bps = 5",
    ),
    (
        "second_book_is_the_first",
        &[],
        "[populations.makers.strategy.maker]\nmarket = \"COIN-PERP\"\nquote = 1\ninventory_limit = 20\nsecond = { market = \"COIN-PERP\", quote = 1 }",
    ),
    (
        "hedge_in_a_perpetual",
        &[],
        "[populations.makers.strategy.maker]\nmarket = \"COIN-SPOT\"\nquote = 1\ninventory_limit = 20\nhedge = { market = \"COIN-PERP\" }",
    ),
    (
        "hedge_in_its_own_book",
        &[],
        "[populations.makers.strategy.maker]\nmarket = \"COIN-SPOT\"\nquote = 1\ninventory_limit = 20\nhedge = { market = \"COIN-SPOT\" }",
    ),
    (
        "short_of_spot",
        &[],
        "[populations.value.strategy.fundamentalist]\nmarket = \"COIN-SPOT\"\naccounts = 1\ncapital = 1",
    ),
    (
        "trend_in_spot",
        &[],
        "[populations.trend.strategy.trend_follower]\nmarket = \"COIN-SPOT\"\naccounts = 1\ncapital = 1",
    ),
    (
        "trend_leverage_too_high",
        &[],
        "[populations.trend.strategy.trend_follower]\nmarket = \"COIN-PERP\"\naccounts = 1\ncapital = 1\nleverage = 200",
    ),
    (
        "holder_in_a_perpetual",
        &[],
        "[populations.coins.strategy.holder]\nmarket = \"COIN-PERP\"\naccounts = 1\ncoins_median = 1",
    ),
    (
        "holder_too_rich",
        &[],
        "[populations.coins.strategy.holder]\nmarket = \"COIN-SPOT\"\naccounts = 1\ncoins_median = 1\ncoins_cap = 1000000000",
    ),
];

#[test]
fn what_does_not_go_together_in_two_markets_is_refused_at_its_place() {
    let place = Place::new();
    for (name, changes, added) in CASES_OF_TWO {
        let mut text = format!("{TWO_MARKETS}\n{added}\n");
        for (sound, broken) in *changes {
            assert_eq!(TWO_MARKETS.matches(sound).count(), 1, "{name}");
            text = text.replace(sound, broken);
        }
        place.write("broken.toml", text);
        let said = refused(&place, "check broken.toml");
        assert_placed(&said);
        assert_text!(format!("refused_{name}"), said);
    }
}

#[test]
fn broken_scenarios_are_refused_at_their_place() {
    let place = Place::new();
    for (name, sound, broken) in CASES {
        assert_eq!(SOUND.matches(sound).count(), 1, "{name}");
        place.write("broken.toml", SOUND.replace(sound, broken));
        let said = refused(&place, "check broken.toml");
        assert_placed(&said);
        let again = refused(&place, "run broken.toml --out results");
        assert_eq!(again, said, "{name}: `run` and `check` say the same");
        assert!(!place.path("results").exists(), "{name}: a refused scenario leaves no folder");
        assert_text!(format!("refused_{name}"), said);
    }
}

#[test]
fn what_is_not_a_scenario_at_all_is_refused() {
    let place = Place::new();
    place.write("empty.toml", "");
    place.write("binary.toml", [0x7f, b'E', b'L', b'F', 0, 1, 2, 0xff]);
    place.write("zeroes.toml", [b'a', 0, 0, 0]);
    place.write("latin1.toml", b"title = \"caf\xe9\"\n");
    place.write("large.toml", "# a comment that does not end\n".repeat(350_000));
    std::fs::create_dir(place.path("folder.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(place.path("fifo.toml")).status().unwrap().success());
    for name in ["empty", "binary", "zeroes", "latin1", "large", "folder", "fifo", "missing"] {
        let said = refused(&place, &format!("check {name}.toml"));
        assert!(said.contains(&format!("{name}.toml")), "{said}");
        assert_text!(format!("refused_file_{name}"), said);
    }
    let said = refused(&place, "check /dev/zero");
    assert!(said.contains("not a regular file"), "{said}");
}

#[test]
fn a_missing_part_says_what_is_missing_and_not_what_follows() {
    let place = Place::new();
    place.write("broken.toml", SOUND.replacen("duration = \"1m\"\n", "", 1));
    assert_text!("without_duration", refused(&place, "check broken.toml"));
    for part in ["assets", "venues", "markets", "populations.flow"] {
        let mut text = String::new();
        let mut inside = false;
        for line in SOUND.lines() {
            if line.starts_with('[') {
                inside = line.starts_with(&format!("[{part}."));
            }
            if !inside {
                let _ = writeln!(text, "{line}");
            }
        }
        place.write("broken.toml", text);
        let said = Said::of(&mut place.limited(LIMITS, "check broken.toml"));
        assert_text!(
            format!("without_{part}"),
            format!("exit code {:?}\n{}{}", said.code, said.out, said.err)
        );
    }
}

#[test]
fn two_markets_are_one_too_many() {
    let place = Place::new();
    let start = SOUND.find("[markets.COIN-PERP]").unwrap();
    let end = SOUND.find("[populations.flow").unwrap();
    let second = SOUND[start..end].replace("COIN-PERP", "COIN-SPOT");
    place.write("broken.toml", format!("{SOUND}\n{second}"));
    let said = refused(&place, "check broken.toml");
    assert_placed(&said);
    assert_text!("refused_two_markets", said);
}

#[test]
fn depth_without_end_is_refused() {
    let place = Place::new();
    let cases = [
        ("arrays", format!("a = {}\n", "[".repeat(100_000))),
        ("closed_arrays", format!("a = {}{}\n", "[".repeat(5_000), "]".repeat(5_000))),
        ("tables", format!("a = {}1{}\n", "{ b = ".repeat(20_000), "}".repeat(20_000))),
        ("keys", format!("{}a = 1\n", "a.".repeat(100_000))),
        ("header", format!("[{}a]\n", "a.".repeat(100_000))),
    ];
    for (name, text) in cases {
        place.write("broken.toml", text);
        let said = refused(&place, "check broken.toml");
        assert!(said.contains("broken.toml:1"), "{name}: {said}");
        assert!(said.len() < 20_000, "{name}: {} bytes of message", said.len());
    }
}

#[test]
fn a_file_of_nothing_but_faults_is_refused_as_fast() {
    let place = Place::new();
    for (name, text) in [
        ("lines", "= = =\n".repeat(150_000)),
        ("one_line", "= ".repeat(500_000)),
        ("brackets", "a = [[[\n".repeat(100_000)),
        ("quotes", "a = \"\n".repeat(100_000)),
    ] {
        place.write("broken.toml", text);
        let said = refused(&place, "check broken.toml");
        assert!(said.lines().count() < 60, "{name}: {said}");
    }
}

#[test]
fn many_problems_are_shown_up_to_a_number() {
    let place = Place::new();
    let mut text = SOUND.to_owned();
    for index in 0..10_000 {
        let _ = write!(text, "\n[populations.p{index}.strategy.retale]\n");
    }
    place.write("broken.toml", text);
    let said = refused(&place, "check broken.toml");
    assert_eq!(said.matches("error").count(), 20, "{said}");
    assert!(said.trim_end().ends_with("and 9980 more problems"), "{said}");
}

#[test]
fn overrides_are_refused_at_their_word() {
    let place = Place::new();
    let cases = [
        ("typo", "--set populations.retail.strategy.retail.long=3"),
        ("typo_at_the_top", "--set durtion=3m"),
        ("unknown_population", "--set populations.retial.strategy.retail.longs=3"),
        ("overlap", "--set duration=2m --set duration=3m"),
        ("overlap_by_star", "--set populations.*.latency.base=1ms --set populations.makers.latency.base=2ms"),
        ("no_value", "--set duration="),
        ("no_equals", "--set duration"),
        ("empty_part", "--set populations..latency=1ms"),
        ("star_without_match", "--set shocks.*.event.meta_ordre.*.at=1s"),
        ("through_a_value", "--set duration.seconds=4"),
        ("out_of_range", "--set populations.retail.strategy.retail.longs=-1"),
        ("wrong_word", "--set markets.COIN-PERP.mark=lats"),
        ("broken_array", "--set populations.flow.strategy.background.bids=[[1,2"),
        ("clash_with_without", "--set mechanisms.adl=true --without adl"),
    ];
    for (name, words) in cases {
        let said = refused(&place, &format!("check sound.toml {words}"));
        assert!(said.contains('^'), "{name}: {said}");
        assert_text!(format!("override_{name}"), said);
    }
}
