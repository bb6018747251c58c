//! Numbers as a person reads them: three figures and a unit.

use core::time::Duration;

/// `870 ns`, `1.24 ms`, `12.3 s`; `0` for nothing.
///
/// ```
/// use core::time::Duration;
/// use perf_runtime::show::units::duration;
///
/// assert_eq!(duration(Duration::from_nanos(1_239_000)), "1.24 ms");
/// assert_eq!(duration(Duration::ZERO), "0");
/// ```
#[must_use]
pub fn duration(duration: Duration) -> String {
    nanos(duration.as_nanos() as f64)
}

/// The same for nanoseconds with a fraction, as benchmarks have them.
///
/// ```
/// assert_eq!(perf_runtime::show::units::nanos(0.617), "0.617 ns");
/// ```
#[must_use]
pub fn nanos(nanos: f64) -> String {
    const UNITS: [(f64, &str); 6] =
        [(1.0, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s"), (60e9, "min"), (3_600e9, "h")];
    if nanos <= 0.0 {
        return String::from("0");
    }
    let mut unit = UNITS.iter().rposition(|(size, _)| nanos >= *size).unwrap_or(0);
    // 999.7 ms is a second when three figures are shown.
    if let Some((next, _)) = UNITS.get(unit + 1)
        && three_figures(nanos / UNITS[unit].0) == three_figures(next / UNITS[unit].0)
    {
        unit += 1;
    }
    let (size, name) = UNITS[unit];
    format!("{} {name}", three_figures(nanos / size))
}

/// `1 234 567`.
///
/// ```
/// assert_eq!(perf_runtime::show::units::count(1_234_567), "1 234 567");
/// ```
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// `41.2 %` of a share from 0 to 1.
///
/// ```
/// assert_eq!(perf_runtime::show::units::percent(0.4123), "41.2 %");
/// ```
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// `1.24 M/s` of a number per second.
///
/// ```
/// assert_eq!(perf_runtime::show::units::per_second(1_239_000.0), "1.24 M/s");
/// ```
#[must_use]
pub fn per_second(rate: f64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e9, " G/s"), (1e6, " M/s"), (1e3, " k/s"), (1.0, " /s")];
    let (size, unit) = UNITS.into_iter().find(|(size, _)| rate >= *size * 0.9995).unwrap_or((1.0, " /s"));
    format!("{}{unit}", three_figures(rate / size))
}

/// `1.50 KiB`, `-12.0 MiB`; bytes by the 1024.
///
/// ```
/// use perf_runtime::show::units::bytes;
///
/// assert_eq!((bytes(1_536), bytes(-7), bytes(0)), ("1.50 KiB".into(), "-7 B".into(), "0".into()));
/// ```
#[must_use]
pub fn bytes(bytes: i64) -> String {
    const UNITS: [(f64, &str); 4] =
        [((1_u64 << 40) as f64, "TiB"), (1_073_741_824.0, "GiB"), (1_048_576.0, "MiB"), (1_024.0, "KiB")];
    let sign = if bytes < 0 { "-" } else { "" };
    let size = bytes.unsigned_abs();
    match UNITS.into_iter().find(|(unit, _)| size as f64 >= unit * 0.9995) {
        _ if size == 0 => String::from("0"),
        Some((unit, name)) => format!("{sign}{} {name}", three_figures(size as f64 / unit)),
        None => format!("{sign}{size} B"),
    }
}

fn three_figures(number: f64) -> String {
    match number {
        n if n >= 99.95 => format!("{n:.0}"),
        n if n >= 9.995 => format!("{n:.1}"),
        n if n >= 0.9995 => format!("{n:.2}"),
        n => format!("{n:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_three_figures_and_the_unit_that_fits() {
        for (nanos, expected) in [
            (1, "1.00 ns"),
            (17, "17.0 ns"),
            (870, "870 ns"),
            (999, "999 ns"),
            (1_000, "1.00 µs"),
            (12_345, "12.3 µs"),
            (999_499, "999 µs"),
            (999_999, "1.00 ms"),
            (1_239_999, "1.24 ms"),
            (12_340_000_000, "12.3 s"),
            (59_999_000_000, "1.00 min"),
            (90_000_000_000, "1.50 min"),
            (7_200_000_000_000, "2.00 h"),
            (3_600_000_000_000_000, "1000 h"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), expected, "{nanos}");
        }
    }

    #[test]
    fn rates() {
        assert_eq!(per_second(0.5), "0.500 /s");
        assert_eq!(per_second(950.0), "950 /s");
        assert_eq!(per_second(999_900.0), "1.00 M/s");
        assert_eq!(per_second(3.1e9), "3.10 G/s");
    }

    #[test]
    fn bytes_by_the_1024() {
        assert_eq!(
            (bytes(1_023), bytes(1_024), bytes(1_048_500)),
            ("1023 B".into(), "1.00 KiB".into(), "1.00 MiB".into())
        );
        assert_eq!(bytes(i64::MIN), "-8388608 TiB");
    }

    #[test]
    fn counts_are_grouped_from_the_right() {
        assert_eq!((count(0), count(999), count(1_000)), ("0".into(), "999".into(), "1 000".into()));
    }
}
