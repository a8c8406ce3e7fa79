//! The members of a channel: sessions, and the users that they belong to.

use alloc::collections::BTreeMap;
use alloc::{string::String, sync::Arc, vec::Vec};
use core::ops::Bound;
use std::collections::HashMap;

use crate::link::{Account, Charge, Full};

/// A session that is in a channel.
///
/// ```
/// use barewire::app::{App, ChannelOptions};
///
/// let app = App::new().channel("tea", ChannelOptions::new().presence());
/// for present in app.hub().present("tea", None, 100) {
///     println!("{} since {}", present.user, present.since);
/// }
/// assert_eq!(app.hub().presence_count("tea").users, 0);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Present {
    /// The session's number, unique in its process.
    pub session: u64,
    /// The user that it has joined as ([`Join::user`](crate::app::Join::user)); empty if it
    /// named none.
    pub user: String,
    /// The data that it shows of itself ([`Join::data`](crate::app::Join::data)).
    pub data: String,
    /// When it joined, in seconds since 1970-01-01 00:00:00 UTC.
    pub since: u64,
}

impl Present {
    /// A session that is in a channel.
    pub fn new(session: u64, user: impl Into<String>, data: impl Into<String>, since: u64) -> Self {
        Self {
            session,
            user: user.into(),
            data: data.into(),
            since,
        }
    }
}

/// How many are in a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PresenceCount {
    /// Sessions.
    pub sessions: usize,
    /// Different users, and sessions of none.
    pub users: usize,
}

#[derive(Debug)]
pub(crate) struct PresenceTable {
    sessions: BTreeMap<u64, Entry>,
    users: HashMap<Arc<str>, u32>,
    unnamed: usize,
    charge: Charge,
}

#[derive(Debug)]
struct Entry {
    user: Arc<str>,
    data: String,
    since: u64,
}

impl Entry {
    fn memory(&self) -> usize {
        2 * size_of::<(u64, Self)>() + self.user.len() + self.data.len()
    }

    fn present(&self, session: u64) -> Present {
        Present::new(session, &*self.user, self.data.clone(), self.since)
    }
}

impl PresenceTable {
    /// An empty table, charged to `account`.
    pub(crate) fn new(account: Option<&Account>) -> Self {
        Self {
            sessions: BTreeMap::new(),
            users: HashMap::new(),
            unnamed: 0,
            charge: account.map_or(Charge::NONE, |account| account.charge(0)),
        }
    }

    /// A session joins. Returns whether it is the first of its user; [`Full`] if the account
    /// has no room for it.
    pub(crate) fn enter(&mut self, present: &Present) -> Result<bool, Full> {
        let known = self.users.get_key_value(&*present.user);
        let entry = Entry {
            user: known.map_or_else(|| Arc::from(&*present.user), |it| it.0.clone()),
            data: present.data.clone(),
            since: present.since,
        };
        self.charge.try_grow(entry.memory())?;
        let user = entry.user.clone();
        if let Some(before) = self.sessions.insert(present.session, entry) {
            self.forget(&before); // a session joins once
        }
        if user.is_empty() {
            self.unnamed += 1;
            return Ok(true);
        }
        let count = self.users.entry(user).or_default();
        *count += 1;
        Ok(*count == 1)
    }

    pub(crate) fn leave(&mut self, session: u64) -> Option<(Present, bool)> {
        let entry = self.sessions.remove(&session)?;
        let is_last = self.forget(&entry);
        Some((entry.present(session), is_last))
    }

    /// Counts a session less; whether it was the last of its user.
    fn forget(&mut self, entry: &Entry) -> bool {
        self.charge.shrink(entry.memory());
        if entry.user.is_empty() {
            self.unnamed -= 1;
            return true;
        }
        let Some(count) = self.users.get_mut(&entry.user) else {
            return true;
        };
        *count -= 1;
        let is_last = *count == 0;
        if is_last {
            self.users.remove(&entry.user);
        }
        is_last
    }

    /// At most so many sessions in the order of their numbers, after this one.
    pub(crate) fn list(&self, after: Option<u64>, most: usize) -> Vec<Present> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let sessions = self.sessions.range((from, Bound::Unbounded)).take(most);
        sessions
            .map(|(session, entry)| entry.present(*session))
            .collect()
    }

    pub(crate) fn count(&self) -> PresenceCount {
        PresenceCount {
            sessions: self.sessions.len(),
            users: self.users.len() + self.unnamed,
        }
    }
}

#[cfg(test)]
mod tests;
