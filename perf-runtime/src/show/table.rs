//! The one look of all tables: a title, a line of headers, numbers on the right, two spaces between columns.
//!
//! A table that is wider than the page gives way in this order: its name column is cut at the front, then the columns that say the least are
//! left out, and a note names them.

use core::fmt::{self, Write};

use tabled::grid::CompactGrid;
use tabled::grid::ansi::ANSIFmt;
use tabled::grid::colors::Colors;
use tabled::grid::config::{CompactConfig, Indent, Position, Sides};
use tabled::grid::dimension::Dimension;
use tabled::grid::records::IterRecords;
use tabled::grid::util::string::get_line_width;

use super::names;
use crate::order;

/// Where the table goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Characters in a line; `None` for as many as it takes.
    pub width: Option<usize>,
    /// Whether the reader sees colours.
    pub colour: bool,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    header: &'static str,
    left: bool,
    /// The least is left out first; `u8::MAX` never is.
    weight: u8,
}

impl Column {
    /// The column that names the row: on the left, cut when there is no room, never left out.
    #[must_use]
    pub const fn name(header: &'static str) -> Self {
        Column { header, left: true, weight: u8::MAX }
    }

    /// A column of numbers. When there is no room, the columns with the least `weight` are left out first.
    #[must_use]
    pub const fn number(header: &'static str, weight: u8) -> Self {
        Column { header, left: false, weight }
    }

    /// A column of words, such as verdicts.
    #[must_use]
    pub const fn text(header: &'static str, weight: u8) -> Self {
        Column { header, left: true, weight }
    }
}

/// What a cell's colour says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Not as it should be.
    Bad,
    /// Of little interest.
    Faint,
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell with a colour that says something.
    #[must_use]
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Cell { text: one_line(&text.into()), tone }
    }

    /// A cell where there is nothing to tell.
    #[must_use]
    pub fn none() -> Self {
        Cell::toned("-", Tone::Faint)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::toned(text, Tone::Plain)
    }
}

/// A name may hold anything, a row is one line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A table to be printed.
///
/// ```
/// use perf_runtime::show::table::{Column, Page, Table};
///
/// let mut table = Table::new("Pools", vec![Column::name("pool"), Column::number("idle", 1)]);
/// table.row(vec!["buffer".into(), "12".into()]);
/// assert_eq!(table.render(Page::default()), "\
/// Pools
/// pool    idle
/// ──────  ────
/// buffer    12
/// ");
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    title: String,
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    notes: Vec<String>,
}

impl Table {
    /// An empty table. The first column is the one that is cut when there is no room.
    #[must_use]
    pub fn new(title: impl Into<String>, columns: Vec<Column>) -> Self {
        Table { title: title.into(), columns, rows: Vec::new(), notes: Vec::new() }
    }

    /// Adds a row; cells that are missing are empty, those too many are left out.
    pub fn row(&mut self, mut cells: Vec<Cell>) {
        cells.resize_with(self.columns.len(), Cell::default);
        self.rows.push(cells);
    }

    /// Adds a line below the table.
    pub fn note(&mut self, note: impl Into<String>) {
        self.notes.push(one_line(&note.into()));
    }

    /// The table as text, ending in a newline.
    #[must_use]
    pub fn render(&self, page: Page) -> String {
        let mut widths: Vec<usize> = (0..self.columns.len()).map(|column| self.width_of(column)).collect();
        let shown = self.fit(&mut widths, page.width);
        let mut output = String::new();
        let bold = if page.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        // Writing to a string cannot fail.
        let _ = writeln!(output, "{}{}{}", bold.0, self.title, bold.1);
        output.push_str(&self.grid(&shown, &widths, page.colour));
        let mut notes = self.notes.clone();
        let left_out = (0..self.columns.len()).filter(|column| !shown.contains(column));
        let left_out = order::join(&mut left_out.map(|column| self.columns[column].header), ", ");
        if !left_out.is_empty() {
            notes.push(format!("no room for: {left_out}"));
        }
        for note in notes {
            let _ = writeln!(output, "{note}");
        }
        output
    }

    fn width_of(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| get_line_width(&row[column].text));
        cells.chain([get_line_width(self.columns[column].header)]).max().unwrap_or(0)
    }

    /// Chooses the columns to show and cuts the first to the room that the others leave it.
    fn fit(&self, widths: &mut [usize], page: Option<usize>) -> Vec<usize> {
        /// A name shorter than this tells nothing.
        const SHORTEST: usize = 24;
        let mut shown: Vec<usize> = (0..self.columns.len()).collect();
        let (Some(page), Some(first)) = (page, widths.first().copied()) else { return shown };
        let others = |shown: &[usize], widths: &[usize]| -> usize {
            shown.iter().skip(1).map(|column| widths[*column] + GAP).sum()
        };
        while others(&shown, widths) + first.min(SHORTEST) > page {
            let least =
                shown.iter().skip(1).rev().min_by_key(|column| self.columns[**column].weight).copied();
            let Some(least) = least else { break };
            shown.retain(|column| *column != least);
        }
        widths[0] = first.min(page.saturating_sub(others(&shown, widths)).max(1));
        shown
    }

    fn grid(&self, shown: &[usize], widths: &[usize], colour: bool) -> String {
        let pad = |column: usize, text: &str| {
            let width = widths[column];
            let text = if column == 0 { names::fit(text, width) } else { text.to_owned() };
            let missing = " ".repeat(width.saturating_sub(get_line_width(&text)));
            if self.columns[column].left { text + &missing } else { missing + &text }
        };
        let mut lines: Vec<Vec<String>> = Vec::with_capacity(self.rows.len() + 2);
        let mut tones: Vec<Vec<Option<Colour>>> = Vec::with_capacity(self.rows.len() + 2);
        lines.push(shown.iter().map(|column| pad(*column, self.columns[*column].header)).collect());
        lines.push(shown.iter().map(|column| "─".repeat(widths[*column])).collect());
        tones.resize(2, vec![Colour::of(Tone::Faint); shown.len()]);
        for row in &self.rows {
            lines.push(shown.iter().map(|column| pad(*column, &row[*column].text)).collect());
            tones.push(shown.iter().map(|column| Colour::of(row[*column].tone)).collect());
        }
        if !colour {
            tones.clear();
        }
        let count = lines.len();
        let mut text = String::new();
        let records = IterRecords::new(lines, shown.len(), Some(count));
        let config = CompactConfig::new().set_padding(Sides::new(
            Indent::zero(),
            Indent::spaced(GAP),
            Indent::zero(),
            Indent::zero(),
        ));
        let grid = CompactGrid::new(records, config, Widths { widths, shown }, Tones(tones));
        // Writing to a string cannot fail.
        let _ = grid.build(&mut text);
        let mut trimmed: String = text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        if trimmed.is_empty() {
            trimmed.push('\n');
        }
        trimmed
    }
}

/// Spaces between two columns.
const GAP: usize = 2;

struct Widths<'a> {
    widths: &'a [usize],
    shown: &'a [usize],
}

impl Dimension for Widths<'_> {
    fn get_width(&self, column: usize) -> usize {
        self.shown.get(column).map_or(0, |column| self.widths[*column] + GAP)
    }

    fn get_height(&self, _: usize) -> usize {
        1
    }
}

#[derive(Clone, Copy)]
struct Colour(&'static str);

impl Colour {
    fn of(tone: Tone) -> Option<Self> {
        match tone {
            Tone::Plain => None,
            Tone::Good => Some(Colour("\u{1b}[32m")),
            Tone::Warning => Some(Colour("\u{1b}[33m")),
            Tone::Bad => Some(Colour("\u{1b}[31m")),
            Tone::Faint => Some(Colour("\u{1b}[2m")),
        }
    }
}

impl ANSIFmt for Colour {
    fn fmt_ansi_prefix<W: Write>(&self, f: &mut W) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// By line and column; empty without colours.
struct Tones(Vec<Vec<Option<Colour>>>);

impl Colors for Tones {
    type Color = Colour;

    fn get_color(&self, position: Position) -> Option<&Colour> {
        self.0.get(position.row)?.get(position.col)?.as_ref()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
