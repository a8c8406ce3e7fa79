//! Plots, drawn as SVG: bars beside each other, and ranges of times on a logarithmic scale.
//!
//! Colours come from the page (`currentColor`, classes), so that they follow light, dark and
//! print; each plot has its figures as text, too.

use std::fmt::Write as _;

const WIDTH: f64 = 800.0;
const NAMES: f64 = 265.0;
const ROW: f64 = 22.0;
/// What stands at the right end, as text.
const VALUES: f64 = 110.0;

/// A row of bars: each part has a class and a value, and they are drawn behind each other.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) parts: Vec<(&'static str, f64)>,
    pub(super) text: String,
}

/// Bars from zero.
pub(super) fn bars(title: &str, rows: &[Bar]) -> String {
    let sum = |bar: &Bar| bar.parts.iter().map(|it| it.1).sum::<f64>();
    let most = rows.iter().map(sum).fold(1e-9, f64::max);
    let scale = (WIDTH - NAMES - VALUES) / most;
    let mut svg = begin(title, rows.len());
    for (at, bar) in rows.iter().enumerate() {
        let y = at as f64 * ROW;
        name(&mut svg, &bar.name, y);
        let mut x = NAMES;
        for (class, value) in &bar.parts {
            let width = value * scale;
            let _ = write!(
                svg,
                r#"<rect class="{class}" x="{x:.1}" y="{:.1}" width="{width:.1}" height="14"/>"#,
                y + 4.0
            );
            x += width;
        }
        value(&mut svg, &bar.text, x, y);
    }
    svg + "</svg>"
}

/// A row of times in microseconds: p50, p90, p99 and p99.9.
pub(super) struct Range {
    pub(super) name: String,
    pub(super) times: [f64; 4],
}

/// Lines from p50 to p99.9, on a logarithmic scale, with a mark at each.
pub(super) fn ranges(title: &str, rows: &[Range]) -> String {
    let all = || rows.iter().flat_map(|it| it.times).filter(|it| *it > 0.0);
    let least = all().fold(f64::MAX, f64::min).log10().floor();
    let most = all().fold(1.0, f64::max).log10().ceil().max(least + 1.0);
    let place = |time: f64| {
        let part = (time.max(1e-3).log10() - least) / (most - least);
        NAMES + part * (WIDTH - NAMES - VALUES)
    };
    let mut svg = begin(title, rows.len() + 1);
    for decade in least as i32..=most as i32 {
        let x = place(10_f64.powi(decade));
        let bottom = rows.len() as f64 * ROW;
        let _ = write!(
            svg,
            r#"<line class="grid" x1="{x:.1}" y1="0" x2="{x:.1}" y2="{bottom}"/><text class="tick" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            bottom + 14.0,
            time(10_f64.powi(decade))
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let y = at as f64 * ROW;
        let middle = y + 11.0;
        name(&mut svg, &row.name, y);
        let [first, .., last] = row.times.map(place);
        let _ = write!(
            svg,
            r#"<line class="span" x1="{first:.1}" y1="{middle}" x2="{last:.1}" y2="{middle}"/>"#
        );
        for (time, class) in row.times.iter().zip(["p50", "p90", "p99", "p999"]) {
            let x = place(*time);
            let _ = write!(
                svg,
                r#"<circle class="{class}" cx="{x:.1}" cy="{middle}" r="4"/>"#
            );
        }
        let text = format!("{} / {}", time(row.times[0]), time(row.times[2]));
        value(&mut svg, &text, WIDTH - VALUES, y);
    }
    svg + "</svg>"
}

fn begin(title: &str, rows: usize) -> String {
    let height = rows as f64 * ROW + 4.0;
    let title = escape(title);
    format!(r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">"#)
}

fn name(svg: &mut String, name: &str, y: f64) {
    let _ = write!(
        svg,
        r#"<text x="0" y="{:.1}">{}</text>"#,
        y + 15.0,
        escape(name)
    );
}

fn value(svg: &mut String, text: &str, x: f64, y: f64) {
    let (x, y) = (x + 6.0, y + 15.0);
    let _ = write!(
        svg,
        r#"<text class="value" x="{x:.1}" y="{y:.1}">{}</text>"#,
        escape(text)
    );
}

/// A time in microseconds, in the unit that suits it.
pub(super) fn time(us: f64) -> String {
    match us {
        us if us >= 1e6 => format!("{:.1} s", us / 1e6),
        us if us >= 1e4 => format!("{:.0} ms", us / 1e3),
        us if us >= 1e3 => format!("{:.1} ms", us / 1e3),
        us => format!("{us:.0} µs"),
    }
}

/// Text as HTML has it.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}
