//! Queues of slot numbers: linked lists whose links lie in one vector, so that a slot is unlinked without a search.

/// No slot.
const NONE: u32 = u32::MAX;

/// The links of all slots. A slot is in one queue at most.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Link>);

#[derive(Clone, Copy, Debug)]
struct Link {
    older: u32,
    newer: u32,
}

impl Links {
    #[inline]
    fn set(&mut self, slot: u32, link: Link) {
        match self.0.get_mut(slot as usize) {
            Some(place) => *place = link,
            None => self.add(slot, link),
        }
    }

    /// The same of a slot that is in a queue for the first time.
    #[cold]
    fn add(&mut self, slot: u32, link: Link) {
        self.0.resize(slot as usize, Link { older: NONE, newer: NONE });
        self.0.push(link);
    }
}

/// A queue, from the oldest to the newest. It is a ring, so that to make the oldest the newest is to look at the next.
#[derive(Debug)]
pub(super) struct Queue {
    oldest: u32,
    len: usize,
}

impl Default for Queue {
    #[inline]
    fn default() -> Self {
        Queue { oldest: NONE, len: 0 }
    }
}

impl Queue {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Adds a slot that is in no queue as the newest.
    #[inline]
    pub(super) fn push(&mut self, links: &mut Links, slot: u32) {
        if self.oldest == NONE {
            links.set(slot, Link { older: slot, newer: slot });
            self.oldest = slot;
        } else {
            let oldest = &mut links.0[self.oldest as usize];
            let newest = core::mem::replace(&mut oldest.older, slot);
            links.0[newest as usize].newer = slot;
            links.set(slot, Link { older: newest, newer: self.oldest });
        }
        self.len += 1;
    }

    /// Takes a slot out that is in this queue.
    #[inline]
    pub(super) fn unlink(&mut self, links: &mut Links, slot: u32) {
        let Link { older, newer } = links.0[slot as usize];
        links.0[older as usize].newer = newer;
        links.0[newer as usize].older = older;
        self.len -= 1;
        if self.oldest == slot {
            self.oldest = if self.len == 0 { NONE } else { newer };
        }
    }

    /// Takes the oldest out.
    #[inline]
    pub(super) fn pop(&mut self, links: &mut Links) -> Option<u32> {
        let oldest = self.oldest()?;
        self.unlink(links, oldest);
        Some(oldest)
    }

    /// Makes the oldest the newest.
    #[inline]
    pub(super) fn rotate(&mut self, links: &Links) {
        if self.oldest != NONE {
            self.oldest = links.0[self.oldest as usize].newer;
        }
    }

    /// Makes a slot of this queue the newest.
    #[inline]
    pub(super) fn renew(&mut self, links: &mut Links, slot: u32) {
        if self.oldest == slot {
            self.rotate(links);
        } else if links.0[self.oldest as usize].older != slot {
            // There are three at least, so none of what is done for the first and the last one is to be done.
            let Link { older, newer } = links.0[slot as usize];
            links.0[older as usize].newer = newer;
            links.0[newer as usize].older = older;
            let newest = core::mem::replace(&mut links.0[self.oldest as usize].older, slot);
            links.0[newest as usize].newer = slot;
            links.0[slot as usize] = Link { older: newest, newer: self.oldest };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_in_first_out_and_anything_from_the_middle() {
        let (mut links, mut queue) = (Links::default(), Queue::default());
        for slot in 0..6 {
            queue.push(&mut links, slot);
        }
        queue.unlink(&mut links, 0);
        queue.unlink(&mut links, 3);
        queue.unlink(&mut links, 5);
        queue.renew(&mut links, 1);
        queue.renew(&mut links, 1);
        queue.renew(&mut links, 4);
        queue.rotate(&links);
        assert_eq!(queue.len(), 3);
        let order: Vec<u32> = core::iter::from_fn(|| queue.pop(&mut links)).collect();
        assert_eq!((order, queue.len()), (vec![1, 4, 2], 0));
        queue.push(&mut links, 3);
        assert_eq!(queue.pop(&mut links), Some(3));
    }
}
