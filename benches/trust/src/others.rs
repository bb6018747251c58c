//! Criterion and divan, asked the same: their programs are in `others`, and what they say is read from what they print.

use crate::claim::Effort;
use crate::program::Program;

/// Both.
#[derive(Debug)]
pub(crate) struct Others {
    pub(crate) criterion: Program,
    pub(crate) divan: Program,
}

impl Others {
    /// None where only a look is taken, since to build them takes longer than that.
    pub(crate) fn build(effort: Effort) -> Result<Option<Self>, String> {
        let build = |name| Program::build(&["bench", "--no-run", "--features", "others", "--bench", name]);
        Ok(match effort {
            Effort::Quick => None,
            Effort::Full => {
                Some(Others { criterion: build("others_criterion")?, divan: build("others_divan")? })
            }
        })
    }
}

/// Criterion's estimate of a benchmark, in nanoseconds: the second in `known/nothing  time:   [1.02 ns 1.21 ns 1.40 ns]`.
pub(crate) fn of_criterion(text: &str, name: &str) -> Option<[f64; 1]> {
    let line = text.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    let words: Vec<&str> = line.split_once('[')?.1.split_whitespace().collect();
    Some([nanoseconds(words.get(2..4)?)?])
}

/// Divan's median and fastest of a benchmark, in nanoseconds: the third and the first in `├─ nothing  0 ns │ 0.2 ns │ 0.001 ns │ 0.003 ns │ 100 │ 1638400`.
pub(crate) fn of_divan(text: &str, name: &str) -> Option<[f64; 2]> {
    let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(name))?;
    let cells: Vec<Vec<&str>> = line.split('│').map(|cell| cell.split_whitespace().collect()).collect();
    Some([nanoseconds(cells.get(2)?)?, nanoseconds(cells.first()?.get(2..)?)?])
}

/// What a number and its unit are.
fn nanoseconds(words: &[&str]) -> Option<f64> {
    let [number, unit] = words else { return None };
    let of_unit = match *unit {
        "ps" => 1e-3,
        "ns" => 1.0,
        "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * of_unit)
}

#[cfg(test)]
mod tests {
    use super::{of_criterion, of_divan};

    #[test]
    fn what_they_print() {
        let text = "known/nothing           time:   [1.0283 ns 1.2119 ns 1.4005 ns]\n\
                    known/a_microsecond     time:   [998.10 ns 1.5000 µs 2.5031 µs]\n";
        assert_eq!(of_criterion(text, "known/nothing"), Some([1.2119]));
        assert_eq!(of_criterion(text, "known/a_microsecond"), Some([1500.0]));
        assert_eq!(of_criterion(text, "known/a_millisecond"), None);
        let text = "others_divan           fastest       │ slowest       │ median        │ mean          │ samples │ iters\n\
                    ╰─ known                             │               │               │               │         │\n   \
                    ├─ a_microsecond    998.7 ns      │ 8.192 µs      │ 1.25 µs       │ 1.344 µs      │ 100     │ 100\n   \
                    ╰─ nothing          0 ns          │ 0.201 ns      │ 0.001 ns      │ 0.003 ns      │ 100     │ 1638400\n";
        assert_eq!(of_divan(text, "a_microsecond"), Some([1250.0, 998.7]));
        assert_eq!(of_divan(text, "nothing"), Some([0.001, 0.0]));
        assert_eq!(of_divan(text, "known"), None);
    }
}
