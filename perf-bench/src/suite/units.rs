//! Times and sizes as a person writes them: `"250 ms"`, `"50MB"`.

use core::time::Duration;

const TIMES: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3_600e9)];
const SIZES: [(&str, f64); 7] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("KiB", 1_024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];

/// Nanoseconds, more than none and less than centuries.
pub(super) fn nanos(text: &str) -> Option<f64> {
    number_of(text, &TIMES).filter(|nanos| *nanos > 0.0 && Duration::try_from_secs_f64(nanos / 1e9).is_ok())
}

/// A duration: a number with a unit, or seconds.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let nanos = nanos(text).or_else(|| text.trim().parse().ok().map(|seconds: f64| seconds * 1e9));
    let duration = Duration::try_from_secs_f64(nanos? / 1e9).ok()?;
    (!duration.is_zero()).then_some(duration)
}

/// Bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    number_of(text, &SIZES).filter(|bytes| *bytes >= 1.0 && *bytes < 1e18).map(|bytes| bytes as u64)
}

/// A share, written as `5%`.
pub(super) fn percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim_end().parse().ok()?;
    (0.0..=10_000.0).contains(&number).then_some(number / 100.0)
}

fn number_of(text: &str, units: &[(&str, f64)]) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|character: char| character.is_alphabetic())?;
    let (number, unit) = text.split_at(end);
    let size = units.iter().find(|(name, _)| *name == unit)?.1;
    let number: f64 = number.trim().replace('_', "").parse().ok()?;
    Some(number * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood() {
        assert_eq!((nanos("2ms"), nanos(" 1.5 us "), nanos("7 ns")), (Some(2e6), Some(1_500.0), Some(7.0)));
        assert_eq!(
            (duration("30"), duration("5m")),
            (Some(Duration::from_secs(30)), Some(Duration::from_mins(5)))
        );
        assert_eq!((bytes("50MB"), bytes("1 KiB")), (Some(50_000_000), Some(1_024)));
        assert_eq!((percent("5%"), percent(" 0.5 % "), percent("0%")), (Some(0.05), Some(0.005), Some(0.0)));
        for wrong in ["5", "%", "-1%", "NaN%", "99999%"] {
            assert_eq!(percent(wrong), None, "{wrong}");
        }
        for wrong in ["", "ms", "0ms", "-1 s", "1 parsec", "1e400h", "NaN ms", "ms 1"] {
            assert_eq!((nanos(wrong), duration(wrong)), (None, None), "{wrong}");
        }
        for wrong in ["0", "0s", "-3", "inf"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
        for wrong in ["50", "MB", "0 B", "1 mb", "-1MB"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
    }
}
