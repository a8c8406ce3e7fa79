//! Files as they were coded last, kept by a loop for the next client.

use alloc::collections::VecDeque;
use core::mem;
use std::collections::HashMap;

use bytes::Bytes;

use crate::coding::lent::Made;
use crate::link::{Account, Charge};
use crate::net::FilePart;

/// An entry's memory beside its bytes: two places in tables, half of which may be empty.
const OVERHEAD: usize = 256;

/// A file in one state. Another place, time or length makes another entity tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileState {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) modified: (i64, i64), // seconds and nanoseconds
    pub(crate) length: u64,
    /// Its time is so young that it may change without this.
    pub(crate) is_young: bool,
}

/// A file that is being sent, and may be coded.
#[derive(Debug)]
pub(crate) struct Source {
    pub(super) part: FilePart,
    pub(super) state: Option<FileState>,
}

type Key = (FileState, Made);

/// The coded files of a loop. Of those not asked for since the last look, the oldest goes
/// first.
#[derive(Debug, Default)]
pub(crate) struct CodedFiles {
    files: HashMap<Key, File>,
    order: VecDeque<Key>,
    charge: Charge,
}

#[derive(Debug)]
struct File {
    coded: Bytes,
    was_asked_for: bool,
}

impl CodedFiles {
    pub(super) fn get(&mut self, key: &Key) -> Option<Bytes> {
        let file = self.files.get_mut(key)?;
        file.was_asked_for = true;
        Some(file.coded.clone())
    }

    /// Keeps a file within this bound for all files, unless memory is short. Charged to the
    /// loop of `account`.
    pub(super) fn keep(&mut self, key: Key, coded: &Bytes, most: usize, account: Option<Account>) {
        let Some(mut account) = account else { return };
        let bytes = coded.len() + OVERHEAD;
        if key.0.is_young || bytes > most || account.is_short() || self.files.contains_key(&key) {
            return;
        }
        while self.charge.bytes() + bytes > most && self.drop_one() {}
        while let Some(above) = account.above().cloned() {
            account = above;
        }
        if self.charge.account().is_none() {
            self.charge = account.charge(0);
        }
        if self.charge.try_grow(bytes).is_ok() {
            let coded = coded.clone();
            let was_asked_for = false;
            self.files.insert(
                key,
                File {
                    coded,
                    was_asked_for,
                },
            );
            self.order.push_back(key);
        }
    }

    /// Drops the oldest file that was not asked for since the last call.
    fn drop_one(&mut self) -> bool {
        while let Some(key) = self.order.pop_front() {
            let Some(file) = self.files.get_mut(&key) else {
                continue;
            };
            if mem::take(&mut file.was_asked_for) {
                self.order.push_back(key);
                continue;
            }
            self.charge.shrink(file.coded.len() + OVERHEAD);
            self.files.remove(&key);
            return true;
        }
        false
    }

    #[inline]
    pub(super) fn shed(&mut self) {
        if self.charge.bytes() > 0 {
            self.shed_if_short();
        }
    }

    #[inline(never)]
    fn shed_if_short(&mut self) {
        if self.charge.account().is_some_and(Account::is_short) {
            *self = Self::default();
        }
    }
}

#[cfg(all(test, feature = "gzip"))]
mod tests;
