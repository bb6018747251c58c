//! The words of the environment variable `PERFKIT`.

use core::fmt;
use std::path::PathBuf;

use super::output::Output;
use crate::show::AllRows;

/// The variable's name.
pub(super) const VARIABLE: &str = "PERFKIT";

/// What the variable asks for, and what in it was not understood.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Request {
    pub(super) off: bool,
    pub(super) outputs: Vec<Output>,
    pub(super) misunderstood: Vec<Misunderstood>,
}

/// A word that means nothing.
#[derive(Debug, PartialEq)]
pub(super) struct Misunderstood {
    word: String,
    problem: Problem,
}

#[derive(Debug, PartialEq)]
enum Problem {
    Unknown { nearest: Option<&'static str> },
    NeedsPath,
    TakesNoPath,
}

const WORDS: [&str; 4] = ["table", "table:all", "json", "off"];

impl fmt::Display for Misunderstood {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = &self.word;
        match self.problem {
            Problem::Unknown { nearest } => {
                write!(f, "{VARIABLE} does not know `{word}`")?;
                if let Some(nearest) = nearest {
                    write!(f, "; did you mean `{nearest}`?")?;
                }
            }
            Problem::NeedsPath => {
                write!(f, "{VARIABLE}: `{word}` needs a file, such as `{word}=perf.{word}`")?;
            }
            Problem::TakesNoPath => write!(f, "{VARIABLE}: `{word}` takes no value")?,
        }
        write!(f, " (known: table, table:all, table=PATH, json=PATH, off)")
    }
}

impl Request {
    pub(super) fn parse(value: &str) -> Self {
        let mut request = Request::default();
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (word, path) = match part.split_once('=') {
                Some((word, path)) => (word.trim(), Some(path.trim())),
                None => (part, None),
            };
            let problem = match (word, path) {
                ("off", None) => {
                    request.off = true;
                    continue;
                }
                ("table" | "table:all", path) if path != Some("") => {
                    let all = if word == "table" { AllRows::No } else { AllRows::Yes };
                    request.outputs.push(Output::Table(all, path.map(PathBuf::from)));
                    continue;
                }
                ("json", Some(path)) if !path.is_empty() => {
                    request.outputs.push(Output::Json(PathBuf::from(path)));
                    continue;
                }
                ("off", Some(_)) => Problem::TakesNoPath,
                ("table" | "table:all" | "json", _) => Problem::NeedsPath,
                _ => Problem::Unknown { nearest: nearest(word) },
            };
            request.misunderstood.push(Misunderstood { word: word.to_owned(), problem });
        }
        request
    }
}

/// The known word that shares the most of its letters with `word`, in order.
fn nearest(word: &str) -> Option<&'static str> {
    let common = |known: &str| {
        let mut rest = known.chars();
        word.to_lowercase().chars().filter(|c| rest.clone().any(|k| k == *c) && rest.any(|k| k == *c)).count()
    };
    let (score, known) = WORDS
        .into_iter()
        .map(|known| (common(known) * 2, known))
        .max_by_key(|(score, known)| (score * 100) / (known.len() + word.chars().count()).max(1))?;
    (score * 100 / (known.len() + word.chars().count()).max(1) >= 60).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(value: &str) -> Vec<String> {
        Request::parse(value).misunderstood.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn words_between_commas() {
        let request = Request::parse(" table , json=out/a=b.json,,off ");
        assert!(request.off && request.misunderstood.is_empty());
        assert_eq!(
            request.outputs,
            [Output::Table(AllRows::No, None), Output::Json(PathBuf::from("out/a=b.json"))]
        );
        assert_eq!(
            Request::parse("table:all=t.txt").outputs,
            [Output::Table(AllRows::Yes, Some(PathBuf::from("t.txt")))]
        );
        assert_eq!(Request::parse(""), Request::default());
    }

    #[test]
    fn what_is_wrong_is_said_and_the_rest_is_done() {
        let request = Request::parse("tabel,json=x.json");
        assert_eq!(request.outputs, [Output::Json(PathBuf::from("x.json"))]);
        assert_eq!(
            messages("tabel"),
            [
                "PERFKIT does not know `tabel`; did you mean `table`? (known: table, table:all, table=PATH, json=PATH, off)"
            ]
        );
        assert_eq!(
            messages("jsn=a")[0].split(" (").next().unwrap(),
            "PERFKIT does not know `jsn`; did you mean `json`?"
        );
        assert_eq!(messages("xyz")[0].split(" (").next().unwrap(), "PERFKIT does not know `xyz`");
        assert!(messages("json")[0].contains("needs a file, such as `json=perf.json`"));
        assert!(messages("table=")[0].contains("needs a file"));
        assert!(messages("off=1")[0].contains("takes no value"));
        assert_eq!(messages("é,🦀=1").len(), 2);
    }
}
