use super::*;

/// A calm hour, a crash of ten minutes, and a slow recovery.
struct Crash {
    time: Vec<f64>,
    price: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    longs: Vec<f64>,
    shorts: Vec<f64>,
    bids: Vec<f64>,
    asks: Vec<f64>,
    basis: Vec<f64>,
    open_interest: Vec<f64>,
    fund: Vec<f64>,
}

fn crash(hours: f64, interval_s: f64) -> Crash {
    let steps = (hours * 3_600.0 / interval_s) as u32;
    let time: Vec<f64> = (1..=steps).map(|step| f64::from(step) * interval_s).collect();
    let bump = |t: f64, at: f64, width: f64| {
        let x = (t - at * 3_600.0) / (width * 3_600.0);
        if x < 0.0 { 0.0 } else { x * libm::exp(1.0 - x) }
    };
    let noise = |t: f64| libm::sin(t / 37.0) + 0.6 * libm::sin(t / 11.3) + 0.8 * libm::sin(t / 301.0);
    let price: Vec<f64> =
        time.iter().map(|t| 66_740.1 - 5_400.0 * bump(*t, 1.0, 0.5) + 60.0 * noise(*t)).collect();
    let spread = |t: f64| 150.0 + 900.0 * bump(t, 1.0, 0.7);
    Crash {
        low: price.iter().zip(&time).map(|(p, t)| p - spread(*t)).collect(),
        high: price.iter().zip(&time).map(|(p, t)| p + spread(*t)).collect(),
        longs: time.iter().map(|t| 9e6 * bump(*t, 1.0, 0.15) * (1.0 + 0.5 * noise(*t)).max(0.0)).collect(),
        shorts: time.iter().map(|t| 1.5e6 * bump(*t, 2.2, 0.3) * (1.0 + noise(*t)).max(0.0)).collect(),
        bids: time.iter().map(|t| 42e6 * (1.0 - 0.9 * bump(*t, 1.0, 0.3)) + 1e6 * noise(*t)).collect(),
        asks: time.iter().map(|t| 40e6 * (1.0 - 0.6 * bump(*t, 1.0, 0.3)) + 1e6 * noise(*t + 50.0)).collect(),
        basis: time.iter().map(|t| -2.0 - 30.0 * bump(*t, 1.0, 0.2) + noise(*t)).collect(),
        open_interest: time.iter().map(|t| 79_000.0 - 900.0 * bump(*t, 1.0, 2.0) + noise(*t)).collect(),
        fund: time.iter().map(|t| 1e9 - 3e5 * bump(*t, 1.0, 1.0)).collect(),
        time,
        price,
    }
}

fn figure(crash: &Crash, band: bool) -> String {
    let mark: Vec<f64> = crash.price.iter().map(|price| price - 40.0).collect();
    crash_figure(&Series {
        title: "btc-2026-02-23",
        start_label: "start 2026-02-23 13:30 UTC, the first of 20 replicates",
        time_s: &crash.time,
        price: &crash.price,
        mark: &mark,
        price_band: band.then_some(Band { low: &crash.low, high: &crash.high }),
        liquidated_long_usd: &crash.longs,
        liquidated_short_usd: &crash.shorts,
        depth_bid_usd: &crash.bids,
        depth_ask_usd: &crash.asks,
        basis_bps: &crash.basis,
        coin: "BTC",
        open_interest: &crash.open_interest,
        fund_usd: &crash.fund,
    })
}

#[test]
fn the_same_series_make_the_same_bytes() {
    let crash = crash(6.0, 10.0);
    let svg = figure(&crash, true);
    assert_eq!(svg, figure(&crash, true));
    assert!(
        svg.starts_with("<svg width=\"1000\" height=\"1412\" viewBox=\"0 0 2000 2824\""),
        "{}",
        &svg[..80]
    );
}

/// The headers of a figure in their order.
fn headers(svg: &str) -> Vec<String> {
    let text = svg.lines().filter(|line| line.starts_with('(') && line[2..].starts_with(") "));
    text.map(str::to_owned).collect()
}

#[test]
fn what_does_not_move_has_no_panel_and_the_others_are_lettered_in_order() {
    let all = crash(6.0, 10.0);
    assert_eq!(
        headers(&figure(&all, true)),
        [
            "(a) Price [USD]",
            "(b) Basis: middle over index [bps]",
            "(c) Liquidated in 2 min [million USD]",
            "(d) Depth within 1 % [million USD]",
            "(e) Open interest [thousand BTC]",
            "(f) Insurance fund: change from 1 billion USD [thousand USD]",
        ]
    );
    let mut alone = all;
    alone.basis.fill(f64::NAN);
    alone.fund.fill(2e5);
    let svg = figure(&alone, false);
    let lettered = headers(&svg);
    assert_eq!(
        lettered[1..],
        [
            "(b) Liquidated in 2 min [million USD]",
            "(c) Depth within 1 % [million USD]",
            "(d) Open interest [thousand BTC]"
        ]
    );
    alone.open_interest.fill(0.0);
    let svg = figure(&alone, false);
    assert_eq!(headers(&svg).len(), 3);
    assert!(
        svg.starts_with("<svg width=\"1000\" height=\"1120\" viewBox=\"0 0 2000 2240\""),
        "{}",
        &svg[..80]
    );
}

#[test]
fn a_basis_below_zero_is_written_so_and_shorts_are_not() {
    let mut crash = crash(6.0, 10.0);
    let minus = |svg: &str| svg.lines().filter(|line| line.trim().starts_with('-')).count();
    assert!(minus(&figure(&crash, false)) > 1);
    for (basis, fund) in crash.basis.iter_mut().zip(&mut crash.fund) {
        (*basis, *fund) = (-*basis + 10.0, 2e9 - *fund);
    }
    assert_eq!(minus(&figure(&crash, false)), 0);
}

#[test]
fn a_series_with_holes_or_without_points_is_drawn_without_nonsense() {
    let mut holes = crash(6.0, 10.0);
    for hole in [0, 7, 8, 900, holes.time.len() - 1] {
        for line in [&mut holes.price, &mut holes.low, &mut holes.longs, &mut holes.bids, &mut holes.fund] {
            line[hole] = f64::NAN;
        }
    }
    for crash in [holes, crash(0.0, 1.0), crash(1.0 / 3_600.0, 1.0)] {
        for band in [true, false] {
            let svg = figure(&crash, band);
            assert!(svg.trim_end().ends_with("</svg>"));
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            // What a float without a value becomes as a pixel.
            assert!(!svg.contains("2147483"), "{svg}");
        }
    }
}

#[test]
fn a_day_of_seconds_stays_small_enough_to_mail() {
    let svg = figure(&crash(24.0, 1.0), true);
    assert!(svg.len() < 400_000, "{} bytes", svg.len());
}

#[test]
fn a_title_is_text_and_never_markup() {
    let empty: &[f64] = &[];
    let svg = crash_figure(&Series {
        title: "<script>alert(1)</script>",
        start_label: "a & b",
        time_s: empty,
        price: empty,
        mark: empty,
        price_band: None,
        liquidated_long_usd: empty,
        liquidated_short_usd: empty,
        depth_bid_usd: empty,
        depth_ask_usd: empty,
        basis_bps: empty,
        coin: "<COIN>",
        open_interest: empty,
        fund_usd: empty,
    });
    assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
    assert!(svg.contains("a &amp; b"));
}
