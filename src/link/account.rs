//! The memory that is held for peers: who holds it, and how much there may be.
//!
//! ```text
//!   loop ◄── address ◄── connection ◄── Charge, inside a buffer
//!    │                                     grows and shrinks with it,
//!    └ has the limit                       and ends with it
//! ```
//!
//! A buffer that holds bytes of a peer, or bytes for a peer, has a [`Charge`]
//! among its fields. The charge is set where the buffer's memory is taken, and
//! dropping the buffer gives it back, so that no place has to remember it.

use alloc::sync::Arc;
use core::mem;
#[cfg(feature = "net")]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
#[cfg(feature = "net")]
use core::time::Duration;

#[cfg(feature = "net")]
use crate::wire::Instant;

/// Memory was asked for that an account has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the memory for peers is used up")]
pub struct Full;

/// A connection that holds no more than this is not ended to make room, and is not
/// timed.
#[cfg(feature = "net")]
pub(crate) const LITTLE: usize = 8 << 10;

/// How fast a peer must move what is held for it, so as not to make room when memory is short.
#[cfg(feature = "net")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Bytes a second, from or to the peer, per MiB begun that is held for it.
    pub(crate) rate: u32,
    pub(crate) grace: Duration,
}

/// Counts the bytes that one holder has: a loop, a peer's address, or a
/// connection. A handle; clones count in the same place.
///
/// A charge also counts in all accounts above this one. The limit is that of the topmost
/// one.
///
/// Taken from on one thread at a time. The counts are atomic, so that a connection
/// may be moved to another thread between calls, and a charge dropped on any.
///
/// ```
/// use barewire::link::Account;
///
/// let all = Account::new(1000);
/// let connection = all.child().child();
/// let mut charge = connection.charge(0);
/// charge.try_grow(600).unwrap();
/// assert_eq!((connection.held(), all.held(), all.room()), (600, 600, 400));
/// assert!(charge.try_grow(500).is_err());
/// drop(charge);
/// assert_eq!((connection.held(), all.held(), all.peak()), (0, 0, 600));
/// ```
#[derive(Debug, Clone)]
pub struct Account(Arc<Tally>);

#[derive(Debug)]
struct Tally {
    above: Option<Account>,
    held: AtomicUsize,
    /// Bytes that it refers to and that others are charged for.
    referred: AtomicUsize,
    peak: AtomicUsize,
    promised: AtomicUsize, // of the topmost one
    limit: AtomicUsize,    // of the topmost one
    /// Until when it has kept the pace, in nanoseconds; 0: not known yet.
    #[cfg(feature = "net")]
    kept_until: AtomicU64,
    /// The bytes sent that the peer had taken at the last look; MAX without one.
    #[cfg(feature = "net")]
    taken: AtomicU64,
}

impl Account {
    /// An account of its own, for `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self::with(None, limit)
    }

    /// An account below this one.
    #[must_use]
    pub fn child(&self) -> Self {
        Self::with(Some(self.clone()), usize::MAX)
    }

    fn with(above: Option<Self>, limit: usize) -> Self {
        Self(Arc::new(Tally {
            above,
            held: AtomicUsize::new(0),
            referred: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            promised: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            #[cfg(feature = "net")]
            kept_until: AtomicU64::new(0),
            #[cfg(feature = "net")]
            taken: AtomicU64::new(u64::MAX),
        }))
    }

    /// Bytes held.
    #[inline]
    pub fn held(&self) -> usize {
        self.0.held.load(Relaxed)
    }

    /// Bytes that waiting output refers to and that are charged elsewhere, as
    /// those of a published message are: once for all who are to get it.
    pub fn referred(&self) -> usize {
        self.0.referred.load(Relaxed)
    }

    /// The most bytes that were held at one time.
    pub fn peak(&self) -> usize {
        self.0.peak.load(Relaxed)
    }

    /// Bytes that peers may send without asking: their windows.
    pub fn promised(&self) -> usize {
        self.top().0.promised.load(Relaxed)
    }

    /// Notes that a peer may send so many bytes without asking.
    pub(crate) fn promise(&self, bytes: usize) -> Promise {
        let top = self.top().clone();
        top.0.promised.fetch_add(bytes, Relaxed);
        Promise(Some((top, bytes)))
    }

    /// The account that this one is below.
    pub fn above(&self) -> Option<&Self> {
        self.0.above.as_ref()
    }

    /// Whether no charge, no child and no other handle counts here any more.
    pub fn is_unused(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Whether memory is short: less than an eighth is left. Nothing is then
    /// taken that can wait.
    pub fn is_short(&self) -> bool {
        let limit = self.limit();
        self.room() < limit / 8
    }

    /// Whether both count in the same place.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn top(&self) -> &Self {
        let mut top = self;
        while let Some(above) = top.above() {
            top = above;
        }
        top
    }

    /// Bytes that may still be taken.
    #[inline]
    pub fn room(&self) -> usize {
        let top = self.top();
        top.0.limit.load(Relaxed).saturating_sub(top.held())
    }

    /// The topmost account's limit.
    pub fn limit(&self) -> usize {
        self.top().0.limit.load(Relaxed)
    }

    /// Whether all the memory is taken: nothing further should be begun.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// A charge of `bytes`, however much is held.
    pub fn charge(&self, bytes: usize) -> Charge {
        let mut charge = Charge {
            account: Some(self.clone()),
            ..Charge::NONE
        };
        charge.grow(bytes);
        charge
    }

    /// A charge of `bytes`, if there is room.
    ///
    /// # Errors
    /// [`Full`] otherwise.
    pub fn try_charge(&self, bytes: usize) -> Result<Charge, Full> {
        match bytes <= self.room() {
            true => Ok(self.charge(bytes)),
            false => Err(Full),
        }
    }

    fn up(&self) -> impl Iterator<Item = &Self> {
        core::iter::successors(Some(self), |account| account.above())
    }

    fn add(&self, bytes: usize) {
        for account in self.up() {
            let held = account.0.held.fetch_add(bytes, Relaxed) + bytes;
            account.0.peak.fetch_max(held, Relaxed);
            #[cfg(feature = "net")]
            account.grown(held + account.referred(), bytes);
        }
    }

    fn take(&self, bytes: usize) {
        for account in self.up() {
            account.0.held.fetch_sub(bytes, Relaxed);
        }
    }

    /// It has `all`, by `bytes` more: if it was little, its time begins anew.
    #[cfg(feature = "net")]
    #[inline]
    fn grown(&self, all: usize, bytes: usize) {
        if all > LITTLE && all - bytes <= LITTLE {
            self.0.kept_until.store(0, Relaxed);
        }
    }

    fn refer(&self, bytes: usize) {
        for account in self.up() {
            account.0.referred.fetch_add(bytes, Relaxed);
            #[cfg(feature = "net")]
            account.grown(account.held() + account.referred(), bytes);
        }
    }

    fn release(&self, bytes: usize) {
        for account in self.up() {
            account.0.referred.fetch_sub(bytes, Relaxed);
        }
    }
}

#[cfg(feature = "net")]
impl Account {
    /// Notes `bytes` that came from the peer or were taken by it. Not needed where little is
    /// held.
    pub(crate) fn moved(&self, bytes: usize, pace: Pace, now: Instant) {
        let rate = u64::from(pace.rate.max(1)) * (self.held() as u64).div_ceil(1 << 20).max(1);
        let paid = (bytes as u64).saturating_mul(1_000_000_000) / rate;
        let before = match self.0.kept_until.load(Relaxed) {
            0 => (now + pace.grace).as_nanos(), // it has just begun
            before => before,
        };
        let latest = (now + pace.grace).as_nanos();
        let until = before.saturating_add(paid).min(latest).max(1);
        self.0.kept_until.store(until, Relaxed);
    }

    /// Notes that the peer has taken `total` of the bytes sent. Before the first look that is
    /// unknown: its grace begins there.
    pub(crate) fn took(&self, total: u64, pace: Pace, now: Instant) {
        match self.0.taken.swap(total, Relaxed) {
            u64::MAX => self.excuse(pace, now),
            before => self.moved(total.saturating_sub(before) as usize, pace, now),
        }
    }

    /// Says that our own side held the peer up until `now`.
    pub(crate) fn excuse(&self, pace: Pace, now: Instant) {
        let until = (now + pace.grace).as_nanos().max(1);
        self.0.kept_until.store(until, Relaxed);
    }

    #[inline]
    pub(crate) fn begin(&self, pace: Pace, now: Instant) {
        if self.0.kept_until.load(Relaxed) == 0 {
            self.moved(0, pace, now);
        }
    }

    /// For how long the pace has not been kept; `None` if it is.
    pub(crate) fn lags(&self, pace: Pace, now: Instant) -> Option<Duration> {
        match self.0.kept_until.load(Relaxed) {
            0 => {
                self.moved(0, pace, now);
                None
            }
            until if until < now.as_nanos() => Some(Duration::from_nanos(now.as_nanos() - until)),
            _ => None,
        }
    }
}

/// Bytes that a peer may send without asking, for as long as this lives.
#[derive(Debug, Default)]
pub(crate) struct Promise(Option<(Account, usize)>);

impl Drop for Promise {
    fn drop(&mut self) {
        if let Some((top, bytes)) = &self.0 {
            top.0.promised.fetch_sub(*bytes, Relaxed);
        }
    }
}

/// Bytes that are charged to an account, among the fields of the buffer that
/// holds them. Dropped, it gives them back.
///
/// One without an account counts nothing, for use outside of a loop. [`Account`]
/// has an example.
#[derive(Debug, Default)]
pub struct Charge {
    account: Option<Account>,
    bytes: usize,
    referred: usize,
}

impl Charge {
    /// A charge that counts nothing until it has an account.
    pub const NONE: Self = Self {
        account: None,
        bytes: 0,
        referred: 0,
    };

    /// Bytes charged.
    #[inline]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whose it is.
    #[inline]
    pub const fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// Takes `bytes` more, which exist already or are within what was asked
    /// for before.
    #[inline]
    pub fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        if let Some(account) = &self.account
            && bytes > 0
        {
            account.add(bytes);
        }
    }

    /// Takes `bytes` more, if there is room. To be asked before the memory is
    /// taken.
    ///
    /// # Errors
    /// [`Full`] otherwise: nothing is taken.
    pub fn try_grow(&mut self, bytes: usize) -> Result<(), Full> {
        if self.account.as_ref().is_some_and(|it| bytes > it.room()) {
            return Err(Full);
        }
        self.grow(bytes);
        Ok(())
    }

    /// Gives `bytes` back, at most all.
    #[inline]
    pub fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        if let Some(account) = &self.account
            && bytes > 0
        {
            account.take(bytes);
        }
    }

    /// Makes it so many.
    #[inline]
    pub fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.grow(more),
            None => self.shrink(self.bytes - bytes),
        }
    }

    /// Notes that the buffer refers to so many bytes in all that others are
    /// charged for, and that it keeps from being freed.
    #[inline]
    pub fn refer(&mut self, bytes: usize) {
        let before = mem::replace(&mut self.referred, bytes);
        if let Some(account) = &self.account
            && before != bytes
        {
            account.refer(bytes);
            account.release(before);
        }
    }

    /// Bytes that it refers to.
    #[inline]
    pub const fn referred(&self) -> usize {
        self.referred
    }

    /// Charges another account from here on; `None`: no account.
    pub fn move_to(&mut self, account: Option<&Account>) {
        let same = match (&self.account, account) {
            (Some(own), Some(other)) => own.is(other),
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        if let Some(account) = account {
            account.add(self.bytes);
            account.refer(self.referred);
        }
        if let Some(own) = mem::replace(&mut self.account, account.cloned()) {
            own.take(self.bytes);
            own.release(self.referred);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(account) = &self.account
            && self.bytes + self.referred > 0
        {
            account.take(self.bytes);
            account.release(self.referred);
        }
    }
}

#[cfg(test)]
mod tests;
