//! What generated code asks of types, of which a macro sees only names: is what a function calls `Result` Rust's own, is what it calls
//! `Future` one?
//!
//! Each question is a method that stands twice: behind a bound, and without one in the type that the first derefs to. The compiler
//! takes the first whose bound holds. So no trait must be in scope, and the answer can never be an error in the user's code.

#![allow(clippy::unused_self, reason = "the type is what is asked")]

use core::marker::PhantomData;
use core::ops::Deref;
use core::pin::Pin;

use super::frame::{Frame, ReturnsResult};
use super::future::Profiled;
use crate::site::Site;

/// Whether values of `R` can be failures.
#[derive(Debug)]
pub struct Outcome<R>(PhantomData<fn(R)>);

/// The same of any type: they cannot.
#[derive(Debug)]
#[doc(hidden)]
pub struct AnyOutcome<R>(PhantomData<fn(R)>);

impl<R> Outcome<R> {
    /// The question.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "for generated code")]
    pub const fn new() -> Self {
        Outcome(PhantomData)
    }

    /// The same about a value.
    #[inline]
    #[must_use]
    pub const fn of(_: &R) -> Self {
        Outcome(PhantomData)
    }
}

impl<R> Outcome<R> {
    /// What tells a failure from a success, of a type of which nothing else will do.
    #[inline]
    #[must_use]
    pub fn counted() -> Option<fn(&R) -> bool>
    where
        R: ReturnsResult,
    {
        Some(R::is_failure)
    }
}

impl<R: ReturnsResult> Outcome<R> {
    /// What tells a failure from a success.
    #[inline]
    #[must_use]
    pub fn failure(&self) -> Option<fn(&R) -> bool> {
        Some(R::is_failure)
    }

    /// Counts the result of a call if it is a failure.
    #[inline]
    pub fn count(&self, frame: &Frame, result: &R) {
        Frame::returned(frame, result);
    }
}

impl<R> AnyOutcome<R> {
    /// Nothing does.
    #[must_use]
    pub const fn failure(&self) -> Option<fn(&R) -> bool> {
        None
    }

    /// Nothing is counted.
    #[inline]
    pub const fn count(&self, _: &Frame, _: &R) {}
}

impl<R> Deref for Outcome<R> {
    type Target = AnyOutcome<R>;

    #[inline]
    fn deref(&self) -> &AnyOutcome<R> {
        &AnyOutcome(PhantomData)
    }
}

/// How a body is run that returns something called a future.
#[derive(Debug)]
pub struct Body<C>(PhantomData<fn(C)>);

/// How a body is run that returns anything: as that of a function that makes no future.
#[derive(Debug)]
pub struct AnyBody;

impl<C> Body<C> {
    /// The question.
    #[must_use]
    pub const fn of(_: &C) -> Self {
        Body(PhantomData)
    }
}

type Failure<R> = Option<fn(&R) -> bool>;

impl<C: FnOnce() -> F, F: Future> Body<C> {
    /// Measures the future.
    pub fn measured(&self, site: &'static Site, body: C) -> Profiled<F> {
        Profiled::new(site, body())
    }

    /// Measures the future and counts failures among what it completes with.
    pub fn judged(&self, site: &'static Site, body: C, failure: Failure<F::Output>) -> Profiled<F> {
        Profiled::judged(site, body(), failure)
    }
}

/// A boxed future, measured, which is put into a box to be of the type that it was of.
type ProfiledBox<F> = Pin<Box<Profiled<Pin<Box<F>>>>>;

impl<C: FnOnce() -> Pin<Box<F>>, F: Future + ?Sized> Body<C> {
    /// Measures the future.
    pub fn measured_box(&self, site: &'static Site, body: C) -> ProfiledBox<F> {
        Box::pin(Profiled::new(site, body()))
    }

    /// Measures the future and counts failures among what it completes with.
    pub fn judged_box(&self, site: &'static Site, body: C, failure: Failure<F::Output>) -> ProfiledBox<F> {
        Box::pin(Profiled::judged(site, body(), failure))
    }
}

impl<C> Deref for Body<C> {
    type Target = AnyBody;

    fn deref(&self) -> &AnyBody {
        &AnyBody
    }
}

impl AnyBody {
    /// Measures the body.
    pub fn measured<R>(&self, site: &'static Site, body: impl FnOnce() -> R) -> R {
        let _frame = Frame::enter(site);
        body()
    }

    /// The same.
    pub fn judged<R, O>(&self, site: &'static Site, body: impl FnOnce() -> R, _: Failure<O>) -> R {
        self.measured(site, body)
    }

    /// The same.
    pub fn measured_box<R>(&self, site: &'static Site, body: impl FnOnce() -> R) -> R {
        self.measured(site, body)
    }

    /// The same.
    pub fn judged_box<R, O>(&self, site: &'static Site, body: impl FnOnce() -> R, _: Failure<O>) -> R {
        self.measured(site, body)
    }
}

/// A closure as it is, known to be called once. So it may move what it took.
pub const fn once<C: FnOnce() -> R, R>(body: C) -> C {
    body
}

/// A future in a box of its own.
pub fn boxed<F: Future>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}

/// A value of any type, for code that is written for its type and never runs.
#[must_use]
pub fn value<R>() -> R {
    unreachable!("only the compiler reads where this stands")
}
