//! The messages of a reconnecting WebSocket, in the order in which they were sent.
//!
//! ```text
//!   push ──► waiting ──placed──► placed, in the output ──confirmed──►
//!               ▲                     │ connection lost
//!               └── nothing had left ─┴──► unknown
//! ```

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::{QueuePolicy, Receipt, ReceiptState, ReconnectError, ReconnectLimits, UnknownPolicy};
use crate::client::Message;
use crate::link::{Account, Charge};

/// A message, and what is known of it.
#[derive(Debug)]
struct Entry {
    receipt: Receipt,
    /// Held as long as it may have to be written.
    message: Option<Message>,
    /// Where it lies in all that the connection has put out; the end is not part of it.
    place: (u64, u64),
}

/// Memory of what is known of a message, whatever it holds.
const ENTRY: usize = size_of::<Entry>();

impl Entry {
    fn held(&self) -> usize {
        let held = self.message.as_ref();
        held.map_or(0, |message| message.payload().len())
    }

    /// Something of it has left. How many bytes are not held any more.
    fn has_left(&mut self, policy: UnknownPolicy) -> usize {
        self.receipt.set(ReceiptState::Written);
        if policy == UnknownPolicy::SendAgain {
            return 0;
        }
        let held = self.held();
        self.message = None;
        held
    }
}

/// The messages of a reconnecting WebSocket.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Entry>,
    placed: VecDeque<Entry>,
    bytes: usize,
    /// For these, and for what is known of their messages.
    charge: Charge,
    last: u64,
    /// How far the kernel has taken the output.
    handed_over: u64,
}

impl Queue {
    pub(super) fn charge_to(&mut self, account: &Account) {
        self.charge.move_to(Some(account));
    }

    fn book(&mut self) {
        let entries = self.waiting.len() + self.placed.len();
        self.charge.set(self.bytes + entries * ENTRY);
    }

    /// Takes a message, if there is room for it.
    pub(super) fn push(
        &mut self,
        message: Message,
        limits: &ReconnectLimits,
        policy: QueuePolicy,
    ) -> Result<Receipt, ReconnectError> {
        let length = message.payload().len();
        if policy == QueuePolicy::DropOldest {
            self.make_room(length, limits);
        }
        let refusal = match self.has_room(length, limits) {
            true if self.charge.try_grow(length + ENTRY).is_ok() => None,
            true => Some(ReconnectError::NoMemory as fn(Message) -> ReconnectError),
            false => Some(ReconnectError::Full as fn(Message) -> ReconnectError),
        };
        if let Some(refusal) = refusal {
            if policy != QueuePolicy::DropNewest {
                return Err(refusal(message));
            }
            let receipt = self.receipt();
            receipt.set(ReceiptState::Unsent);
            return Ok(receipt);
        }
        self.bytes += length;
        let receipt = self.receipt();
        self.waiting.push_back(Entry {
            receipt: receipt.clone(),
            message: Some(message),
            place: (0, 0),
        });
        Ok(receipt)
    }

    fn receipt(&mut self) -> Receipt {
        self.last += 1;
        Receipt::new(self.last)
    }

    fn has_room(&self, length: usize, limits: &ReconnectLimits) -> bool {
        let count = self.waiting.len() + self.placed.len();
        count < limits.messages && length <= limits.bytes.saturating_sub(self.bytes)
    }

    /// Bytes that may still be charged.
    fn memory(&self) -> usize {
        let account = self.charge.account();
        account.map_or(usize::MAX, Account::room)
    }

    fn make_room(&mut self, length: usize, limits: &ReconnectLimits) {
        let waits: usize = self.waiting.iter().map(Entry::held).sum();
        let placed = self.bytes - waits;
        let entry = length.saturating_add(ENTRY);
        let freed = waits + self.waiting.len() * ENTRY;
        let never = length > limits.bytes.saturating_sub(placed)
            || self.placed.len() >= limits.messages
            || entry > self.memory().saturating_add(freed);
        if never {
            return;
        }
        while !self.has_room(length, limits) || entry > self.memory() {
            let Some(oldest) = self.waiting.pop_front() else {
                return;
            };
            self.bytes -= oldest.held();
            self.book();
            oldest.receipt.set(ReceiptState::Unsent);
        }
    }

    pub(super) fn front(&self) -> Option<&Message> {
        self.waiting.front()?.message.as_ref()
    }

    /// The next message lies in the output, from `from` up to `to`.
    pub(super) fn placed(&mut self, from: u64, to: u64) {
        if let Some(mut entry) = self.waiting.pop_front() {
            entry.place = (from, to);
            self.placed.push_back(entry);
        }
    }

    /// The message placed last begins here, or a bit later.
    pub(super) fn begun(&mut self, from: u64, policy: UnknownPolicy) {
        if let Some(entry) = self.placed.back_mut() {
            entry.place.0 = from;
            if from < self.handed_over {
                self.bytes -= entry.has_left(policy);
                self.book();
            }
        }
    }

    /// The kernel has taken the output up to here.
    pub(super) fn handed_over(&mut self, upto: u64, policy: UnknownPolicy) {
        let before = self.handed_over;
        self.handed_over = upto;
        let begun = self.placed.partition_point(|it| it.place.0 < before);
        for entry in self.placed.iter_mut().skip(begun) {
            if entry.place.0 >= upto {
                break;
            }
            self.bytes -= entry.has_left(policy);
        }
        self.book();
    }

    pub(super) const fn taken(&self) -> u64 {
        self.handed_over
    }

    /// The newest message that was placed, and how many were placed after `id`.
    pub(super) fn placed_behind(&self, id: u64) -> (Option<u64>, usize) {
        let newer = self
            .placed
            .iter()
            .rev()
            .take_while(|it| it.receipt.id() > id);
        let newest = self.placed.back().map(|it| it.receipt.id());
        (newest.filter(|&newest| newest > id), newer.count())
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn has_placed(&self) -> bool {
        !self.placed.is_empty()
    }

    /// The peer has read all messages up to this one.
    pub(super) fn confirm_upto(&mut self, id: u64) {
        let upto = self.placed.partition_point(|it| it.receipt.id() <= id);
        for entry in self.placed.drain(..upto) {
            self.bytes -= entry.held();
            entry.receipt.set(ReceiptState::Confirmed);
        }
        self.book();
    }

    /// The peer has read this message. Whether that is news.
    pub(super) fn confirm(&mut self, id: u64) -> bool {
        let lists = [&mut self.placed, &mut self.waiting];
        let entry = lists.into_iter().find_map(|list| {
            // The numbers grow in each.
            let at = list.binary_search_by_key(&id, |it| it.receipt.id()).ok()?;
            list.remove(at)
        });
        let Some(entry) = entry else {
            return false;
        };
        self.bytes -= entry.held();
        self.book();
        entry.receipt.set(ReceiptState::Confirmed);
        true
    }

    /// The connection is lost: what of its messages is unknown. Others wait again, in
    /// order.
    pub(super) fn lost(&mut self, policy: UnknownPolicy) -> Vec<Receipt> {
        let mut unknown = Vec::new();
        let mut again = VecDeque::new();
        for entry in self.placed.drain(..) {
            let has_left = entry.place.0 < self.handed_over;
            if has_left && policy == UnknownPolicy::Report {
                self.bytes -= entry.held();
                entry.receipt.set(ReceiptState::Unknown);
                unknown.push(entry.receipt);
            } else {
                entry.receipt.set(ReceiptState::Queued);
                again.push_back(entry);
            }
        }
        again.append(&mut self.waiting);
        self.waiting = again;
        self.handed_over = 0;
        self.book();
        unknown
    }

    /// Nothing is sent any more: what never was.
    pub(super) fn end(&mut self) -> Vec<Receipt> {
        let unsent = self.waiting.drain(..).map(|entry| {
            entry.receipt.set(ReceiptState::Unsent);
            entry.receipt
        });
        let unsent = unsent.collect();
        self.bytes = self.placed.iter().map(Entry::held).sum();
        self.book();
        unsent
    }

    /// How many messages wait, or are not confirmed, and the bytes that are held for them.
    pub(super) fn held(&self) -> (usize, usize) {
        (self.waiting.len() + self.placed.len(), self.bytes)
    }
}
