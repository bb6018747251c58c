//! What the bodies that run on this thread have read.
//!
//! Bodies are nested, each with a list of its reads. The thread has that of the innermost one at hand; whoever enters a body keeps the list of the one
//! around it and puts it back. A body that is a future is entered while it is polled, and takes its list along from thread to thread. What
//! a body reads on threads that it starts itself is not seen.
//!
//! A hit while no body runs looks at one word of its thread and is done; to enter a body that reads nothing is to change two.

use core::cell::Cell;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::graph::{Gone, Name, Slot};
use super::index::{Computed, DEPENDENCIES, Dependencies, Source};
use crate::order::sort;
use crate::sync::thread_local;

/// One thing that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) name: Name,
    /// Its record, if it has one.
    pub(super) computed: Option<Computed>,
    /// When it was looked up, or before.
    pub(super) moment: u64,
}

impl Read {
    #[inline]
    pub(super) fn held(&self) -> Option<Slot> {
        self.computed.as_ref().and_then(Computed::slot)
    }
}

/// What one body has read.
#[derive(Debug)]
struct Reads {
    index: &'static Dependencies,
    /// Whether the index counts it among those who read: from the first time that it may.
    is_reader: bool,
    list: Vec<Read>,
}

/// The innermost body of a thread.
struct Innermost {
    is_running: Cell<bool>,
    /// What it has read. Never dropped: when a thread ends, nothing runs on it.
    reads: Cell<ManuallyDrop<Option<Box<Reads>>>>,
}

thread_local! {
    /// It needs no destructor, so it is there to the end.
    static INNERMOST: Innermost =
        const { Innermost { is_running: Cell::new(false), reads: Cell::new(ManuallyDrop::new(None)) } };
}

/// One run of a body, which notes what it reads. Nothing before it reads something, so that those who read nothing pay next to nothing.
#[derive(Debug)]
pub(in super::super) struct Computation(Option<Box<Reads>>);

/// The body runs on this thread, or is polled, while this lives.
#[must_use = "nothing is noted when it is dropped"]
pub(in super::super) struct Entered<'a> {
    /// In it is meanwhile what the body around this one has read.
    computation: &'a mut Computation,
    /// Whether there is one.
    was_running: bool,
    /// It belongs to this thread.
    thread: PhantomData<*const ()>,
}

/// What became of a run.
#[derive(Debug)]
pub(in super::super) struct Finished {
    /// The record: to be put into the entry, and given to those who get the result, kept or not. `None` where the body has read
    /// nothing.
    pub(in super::super) computed: Option<Computed>,
    /// To be removed, to make room for the record.
    pub(in super::super) crowded_out: Vec<Gone>,
}

impl Computation {
    /// The body is about to run. Costs next to nothing until it reads something.
    pub(in super::super) const fn new() -> Self {
        Computation(None)
    }

    /// With another index than the program's.
    #[cfg(test)]
    pub(super) fn of(index: &'static Dependencies) -> Self {
        Computation(Some(Box::new(Reads::new(index))))
    }

    /// Notes something that the result depends on. Before the body runs, so that what is invalidated meanwhile makes it outdated.
    pub(in super::super) fn depend_on(&mut self, source: Source<'_>) {
        let reads = reads(&mut self.0);
        let moment = reads.moment();
        reads.add(Read { name: source.name(), computed: None, moment });
    }

    /// The body runs, or is polled, on this thread now.
    #[inline]
    pub(in super::super) fn enter(&mut self) -> Entered<'_> {
        let was_running = INNERMOST.try_with(|innermost| {
            innermost.exchange(&mut self.0);
            innermost.is_running.replace(true)
        });
        Entered { computation: self, was_running: was_running.unwrap_or(false), thread: PhantomData }
    }

    /// Whether nothing is noted so far.
    #[inline]
    pub(in super::super) const fn has_read_nothing(&self) -> bool {
        self.0.is_none()
    }

    /// The body has ended, and this is the key of its result.
    #[inline]
    pub(in super::super) fn finish(self, cache: u32, hash: u64) -> Finished {
        match self.0 {
            None => Finished { computed: None, crowded_out: Vec::new() },
            Some(mut reads) => reads.finish(cache, hash),
        }
    }
}

/// Of the program's index, if it is the first that is read.
fn reads(reads: &mut Option<Box<Reads>>) -> &mut Reads {
    reads.get_or_insert_with(|| Box::new(Reads::new(&DEPENDENCIES)))
}

impl Drop for Entered<'_> {
    #[inline]
    fn drop(&mut self) {
        let _ = INNERMOST.try_with(|innermost| {
            innermost.is_running.set(self.was_running);
            innermost.exchange(&mut self.computation.0);
        });
    }
}

impl Innermost {
    /// Exchanges what was read.
    #[inline]
    fn exchange(&self, reads: &mut Option<Box<Reads>>) {
        let theirs = ManuallyDrop::new(reads.take());
        *reads = ManuallyDrop::into_inner(self.reads.replace(theirs));
    }

    /// Changes what the innermost body has read, if there is a body.
    fn change<R>(&self, change: impl FnOnce(&mut Reads) -> R) -> Option<R> {
        if !self.is_running.get() {
            return None;
        }
        let mut own = None;
        self.exchange(&mut own);
        let changed = change(reads(&mut own));
        self.exchange(&mut own);
        Some(changed)
    }
}

impl Reads {
    const fn new(index: &'static Dependencies) -> Self {
        Reads { index, is_reader: false, list: Vec::new() }
    }

    #[cold]
    #[inline(never)]
    fn finish(&mut self, cache: u32, hash: u64) -> Finished {
        self.make_distinct();
        if self.list.is_empty() {
            return Finished { computed: None, crowded_out: Vec::new() };
        }
        // It leaves those who read when it is dropped: after the record is there.
        let (computed, crowded_out) = self.index.record(cache, hash, &self.list);
        Finished { computed: Some(computed), crowded_out }
    }

    /// Now, for something that is going to be read.
    fn moment(&mut self) -> u64 {
        if !self.is_reader {
            self.is_reader = true;
            self.index.enter();
        }
        self.index.moment()
    }

    fn add(&mut self, read: Read) {
        if self.list.len() == self.list.capacity() {
            // A body may read the same a million times.
            self.make_distinct();
            self.list.reserve(self.list.len().max(4));
        }
        self.list.push(read);
    }

    /// Leaves, of what was read several times, the first one.
    fn make_distinct(&mut self) {
        if self.list.len() < 2 {
            return;
        }
        let address = |read: &Read| read.computed.as_ref().map_or(0, Computed::address);
        sort(&mut self.list, |one, other| {
            one.name
                .cmp(&other.name)
                .then_with(|| address(one).cmp(&address(other)))
                .then_with(|| one.moment.cmp(&other.moment))
        });
        self.list.dedup_by(|later, first| later.name == first.name && address(later) == address(first));
    }
}

impl Drop for Reads {
    fn drop(&mut self) {
        if self.is_reader {
            self.index.leave();
        }
    }
}

/// A look into a cache that is about to begin, by a body or by nobody.
#[derive(Clone, Copy, Debug)]
#[must_use = "say what it found"]
pub(in super::super) struct Reading(Option<u64>);

/// A look into a cache is about to begin.
#[inline]
pub(in super::super) fn reading() -> Reading {
    if is_body_running() { begin_reading() } else { Reading(None) }
}

/// Whether a body runs on this thread.
#[inline]
pub(in super::super) fn is_body_running() -> bool {
    INNERMOST.try_with(|innermost| innermost.is_running.get()).unwrap_or(false)
}

#[cold]
#[inline]
fn begin_reading() -> Reading {
    Reading(with_innermost(Reads::moment))
}

impl Reading {
    /// By nobody.
    pub(in super::super) const NONE: Reading = Reading(None);

    /// It found a result, there or computed just then, also one that is not kept: the innermost body now depends on it.
    #[inline]
    pub(in super::super) fn of(self, cache: u32, hash: u64, computed: Option<&Computed>) {
        if let Some(moment) = self.0 {
            note(Read { name: Name::Key(cache, hash), computed: computed.cloned(), moment });
        }
    }

    /// Whether a body reads, so that what it found is to be said.
    #[inline]
    pub(in super::super) fn is_noted(self) -> bool {
        self.0.is_some()
    }
}

/// Notes something that the innermost body depends on from now on, if there is one; tells whether.
pub(in super::super) fn depend_on(source: Source<'_>) -> bool {
    let Some(moment) = reading().0 else { return false };
    note(Read { name: source.name(), computed: None, moment });
    true
}

#[cold]
#[inline]
fn note(read: Read) {
    // Dropping one may take the lock of the index, but reads nothing.
    with_innermost(|reads| reads.add(read));
}

fn with_innermost<R>(change: impl FnOnce(&mut Reads) -> R) -> Option<R> {
    INNERMOST.try_with(|innermost| innermost.change(change)).ok().flatten()
}
