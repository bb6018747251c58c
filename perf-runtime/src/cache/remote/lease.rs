//! Leave to compute a result while other processes wait for it, which is given back whatever becomes of the computation.
//!
//! A body that panics, a future that is dropped, a result that is not kept: whoever waits must not wait for the lease to run out. Giving back never
//! blocks a thread that polls futures, and so may be lost when its runtime ends; then the lease runs out.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use super::backend::{How, Lease, Request};
use super::client::{Client, Mode};
use super::counters::Counters;

/// A lease on the result under a name.
#[derive(Debug)]
pub(super) struct Held {
    client: &'static Client,
    counters: &'static Counters,
    mode: Mode,
    name: String,
    lease: Option<Lease>,
}

impl Held {
    pub(super) fn new(
        client: &'static Client,
        counters: &'static Counters,
        mode: Mode,
        name: String,
        lease: Lease,
    ) -> Self {
        Held { client, counters, mode, name, lease: Some(lease) }
    }

    /// To store with.
    pub(super) fn lease(&self) -> Option<&Lease> {
        self.lease.as_ref()
    }

    /// The result is stored, or cannot be: there is nothing to give back.
    pub(super) fn end(mut self) {
        self.lease = None;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        let (client, counters, mode) = (self.client, self.counters, self.mode);
        let name = core::mem::take(&mut self.name);
        match mode {
            Mode::Blocking => {
                now(client.ask(mode, Request::Release { name: &name, lease }, counters));
            }
            Mode::Waiting => client.backend.detach(Box::pin(async move {
                client.ask(mode, Request::Release { name: &name, lease }, counters).await;
            })),
        }
    }
}

/// How to store with a lease, or without.
pub(super) fn how(lease: Option<&Lease>) -> How<'_> {
    lease.map_or(How::Always, How::Holding)
}

/// Runs a future of [`Mode::Blocking`], which never waits.
pub(super) fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}
