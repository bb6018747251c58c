//! The words of the environment variable `PERFKIT`.
//!
//! A path is whatever the system takes for one, and need not be Unicode; so the value is read as bytes.

use core::fmt;
use std::ffi::OsStr;

use super::output::{Format, Output, path_of};
use crate::order;
use crate::show::AllRows;
use crate::spelling::nearest;

/// The variable's name.
pub(super) const VARIABLE: &str = "PERFKIT";

/// What the variable asks for, and what in it was not understood.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Request {
    pub(super) off: bool,
    /// The share of the time of short functions that timing them may cost.
    pub(super) budget: Option<f64>,
    pub(super) outputs: Vec<Output>,
    pub(super) misunderstood: Vec<Misunderstood>,
}

/// A word that means something.
#[derive(Debug, PartialEq)]
struct Word {
    name: &'static str,
    wish: Wish,
    /// The ways to write it.
    usage: &'static [&'static str],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Wish {
    Table(AllRows),
    File(Format, &'static str),
    Budget,
    Off,
}

static WORDS: [Word; 6] = [
    Word { name: "table", wish: Wish::Table(AllRows::No), usage: &["table", "table=PATH"] },
    Word { name: "table:all", wish: Wish::Table(AllRows::Yes), usage: &["table:all", "table:all=PATH"] },
    Word { name: "json", wish: Wish::File(Format::Json, "perf.json"), usage: &["json=PATH"] },
    Word { name: "pstats", wish: Wish::File(Format::Pstats, "perf.pstats"), usage: &["pstats=PATH"] },
    Word { name: "budget", wish: Wish::Budget, usage: &["budget=3%"] },
    Word { name: "off", wish: Wish::Off, usage: &["off"] },
];

/// A part of the value that cannot be obeyed.
#[derive(Debug, PartialEq)]
pub(super) enum Misunderstood {
    Unknown { written: String, nearest: Option<&'static str> },
    NeedsPath { word: &'static str, example: &'static str },
    TakesNoValue { word: &'static str },
    NeedsShare { written: String },
}

impl fmt::Display for Misunderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misunderstood::Unknown { written, nearest } => {
                write!(f, "{VARIABLE} does not know `{written}`")?;
                if let Some(nearest) = nearest {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
            }
            Misunderstood::NeedsPath { word, example } => {
                write!(f, "`{word}` in {VARIABLE} needs a file, such as `{word}={example}`")?;
            }
            Misunderstood::NeedsShare { written } => write!(
                f,
                "`budget` in {VARIABLE} needs a share above 0 % and up to 100 %, such as `budget=3%`, and not `{written}`"
            )?,
            Misunderstood::TakesNoValue { word } => write!(f, "`{word}` in {VARIABLE} takes no value")?,
        }
        let usage = order::join(&mut WORDS.iter().flat_map(|word| word.usage).copied(), ", ");
        write!(f, " (known: {usage})")
    }
}

impl Request {
    pub(super) fn parse(value: &OsStr) -> Self {
        let mut request = Request::default();
        let parts = value.as_encoded_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
        for part in parts.filter(|part| !part.is_empty()) {
            let (word, path) = match part.iter().position(|byte| *byte == b'=') {
                Some(at) => (part[..at].trim_ascii(), Some(part[at + 1..].trim_ascii())),
                None => (part, None),
            };
            if let Err(misunderstood) = request.add(word, path) {
                request.misunderstood.push(misunderstood);
            }
        }
        request
    }

    fn add(&mut self, written: &[u8], path: Option<&[u8]>) -> Result<(), Misunderstood> {
        let Some(Word { name: word, wish, .. }) = WORDS.iter().find(|word| word.name.as_bytes() == written)
        else {
            let written = String::from_utf8_lossy(written).into_owned();
            return Err(Misunderstood::Unknown {
                nearest: nearest(&written, &mut WORDS.iter().map(|word| word.name)),
                written,
            });
        };
        match (*wish, path) {
            (Wish::Off, None) => self.off = true,
            (Wish::Off, Some(_)) => return Err(Misunderstood::TakesNoValue { word }),
            (Wish::Budget, share) => self.budget = Some(share_of(share.unwrap_or_default())?),
            (Wish::Table(all), None) => self.outputs.push(Output::Table(all, None)),
            (Wish::Table(_), Some(b"")) => {
                return Err(Misunderstood::NeedsPath { word, example: "perf.txt" });
            }
            (Wish::Table(all), Some(path)) => self.outputs.push(Output::Table(all, Some(path_of(path)))),
            (Wish::File(_, example), None | Some(b"")) => {
                return Err(Misunderstood::NeedsPath { word, example });
            }
            (Wish::File(format, _), Some(path)) => self.outputs.push(Output::File(format, path_of(path))),
        }
        Ok(())
    }
}

/// `3%`, `0.5 %` or `0.03`.
fn share_of(written: &[u8]) -> Result<f64, Misunderstood> {
    let written = String::from_utf8_lossy(written);
    let share = match written.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => written.parse::<f64>(),
    };
    let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| Misunderstood::NeedsShare { written: written.into_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn parse(value: &str) -> Request {
        Request::parse(value.as_ref())
    }

    /// Without what is known.
    fn messages(value: &str) -> Vec<String> {
        let known =
            " (known: table, table=PATH, table:all, table:all=PATH, json=PATH, pstats=PATH, budget=3%, off)";
        let messages = parse(value).misunderstood.into_iter().map(|misunderstood| misunderstood.to_string());
        messages.map(|message| message.strip_suffix(known).unwrap().to_owned()).collect()
    }

    #[test]
    fn words_between_commas() {
        let request = parse(" table , json = out/a=b.json,,off ");
        assert!(request.off && request.misunderstood.is_empty());
        assert_eq!(
            request.outputs,
            [Output::Table(AllRows::No, None), Output::File(Format::Json, PathBuf::from("out/a=b.json"))]
        );
        assert_eq!(
            parse("table:all=t.txt").outputs,
            [Output::Table(AllRows::Yes, Some(PathBuf::from("t.txt")))]
        );
        assert_eq!(parse(""), Request::default());
    }

    #[test]
    fn what_is_wrong_is_said_and_the_rest_is_done() {
        assert_eq!(parse("tabel,json=x.json").outputs, [Output::File(Format::Json, PathBuf::from("x.json"))]);
        for (word, nearest) in [
            ("tabel", "table"),
            ("Table", "table"),
            ("table:al", "table:all"),
            ("jsn=a", "json"),
            ("of", "off"),
        ] {
            let written = word.split('=').next().unwrap();
            assert_eq!(
                messages(word),
                [format!("PERFKIT does not know `{written}`; did you mean `{nearest}`?")]
            );
        }
        for word in ["xyz", "html", "on", "jo", "1", "all", "é", "🦀"] {
            assert_eq!(messages(word), [format!("PERFKIT does not know `{word}`")]);
        }
        assert_eq!(messages("é,🦀=1").len(), 2);
        assert_eq!(messages("json"), ["`json` in PERFKIT needs a file, such as `json=perf.json`"]);
        assert_eq!(messages("table="), ["`table` in PERFKIT needs a file, such as `table=perf.txt`"]);
        assert_eq!(
            messages("table:all="),
            ["`table:all` in PERFKIT needs a file, such as `table:all=perf.txt`"]
        );
        for written in ["", "0", "0%", "-1%", "101%", "1.5", "three", "nan", "inf"] {
            assert_eq!(
                messages(&format!("budget={written}")),
                [format!(
                    "`budget` in PERFKIT needs a share above 0 % and up to 100 %, such as `budget=3%`, and not `{written}`"
                )]
            );
        }
        assert_eq!(parse("budget=3%").budget, Some(0.03));
        assert_eq!((parse("budget = 0.5 %").budget, parse("budget=1").budget), (Some(0.005), Some(1.0)));
        assert_eq!(messages("off=1"), ["`off` in PERFKIT takes no value"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_need_not_be_unicode() {
        use std::os::unix::ffi::OsStrExt;

        let request = Request::parse(OsStr::from_bytes(b"json=/x/caf\xe9.json,t\xe9ble"));
        assert_eq!(
            request.outputs,
            [Output::File(Format::Json, PathBuf::from(OsStr::from_bytes(b"/x/caf\xe9.json")))]
        );
        assert_eq!(
            request.misunderstood[0].to_string().split(" (").next().unwrap(),
            "PERFKIT does not know `t\u{fffd}ble`; did you mean `table`?"
        );
    }
}
